// Shows the note that a number or a claim's mark leads to where the reader already is: on hover, on focus, and on a click
// or tap until Escape or one elsewhere. Enter follows the link to the same note at the page's end, as every click does
// without this script: the keyboard reaches what is linked there, and no reader has to tab through a note at each number.
(() => {
  const links = document.querySelectorAll("a.rg-fact, a.rg-mark");
  if (!links.length || !HTMLElement.prototype.showPopover) return;

  const box = document.createElement("div");
  box.className = "rg-popover md-typeset";
  box.popover = "manual";
  box.id = "rg-popover";
  box.tabIndex = -1; // what is clicked within it has the focus, not nothing at all
  document.body.append(box);
  let shownFor = null;
  let pinned = false;
  let waiting = 0;

  const hide = () => {
    clearTimeout(waiting);
    if (!shownFor) return;
    shownFor.removeAttribute("aria-describedby");
    shownFor = null;
    pinned = false;
    box.hidePopover();
  };

  const show = (link) => {
    clearTimeout(waiting);
    if (shownFor === link) return;
    const note = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (!note) return;
    hide();
    const copy = note.cloneNode(true);
    copy.removeAttribute("id");
    box.replaceChildren(copy);
    box.showPopover();
    link.setAttribute("aria-describedby", box.id);
    shownFor = link;
    put();
  };

  // Beside its link, which stands elsewhere once the page has another width.
  const put = () => {
    if (!shownFor) return;
    const place = shownFor.getClientRects()[0];
    if (!place) return hide();
    box.style.maxHeight = "";
    const left = Math.min(place.left, document.documentElement.clientWidth - box.offsetWidth - 12);
    // Where there is more room, and no taller than the room there.
    const room = Math.max(place.top, window.innerHeight - place.bottom) - 16;
    const below = place.bottom + box.offsetHeight + 8 < window.innerHeight || window.innerHeight - place.bottom > place.top;
    box.style.maxHeight = `${room}px`;
    box.style.left = `${Math.max(12, left) + window.scrollX}px`;
    box.style.top = `${(below ? place.bottom + 6 : place.top - box.offsetHeight - 6) + window.scrollY}px`;
  };

  const hideSoon = () => {
    clearTimeout(waiting);
    if (!pinned) waiting = setTimeout(hide, 250);
  };

  // A note that was asked for stays while another window has the focus: what was copied from it may be wanted there.
  const leave = ({ relatedTarget: next }) => {
    if (next ? next !== shownFor && !box.contains(next) : !pinned) hide();
  };

  for (const link of links) {
    link.addEventListener("mouseenter", () => {
      clearTimeout(waiting);
      if (!pinned) waiting = setTimeout(() => show(link), 120);
    });
    link.addEventListener("mouseleave", hideSoon);
    link.addEventListener("focus", () => link.matches(":focus-visible") && show(link));
    link.addEventListener("blur", leave);
    link.addEventListener("click", (event) => {
      // The browser's own: Enter, which counts no clicks, and a click with a key held down, which opens a tab or a window.
      if (!event.detail || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return hide();
      event.preventDefault();
      if (pinned && shownFor === link) return hide();
      show(link);
      pinned = true;
    });
  }
  box.addEventListener("mouseenter", () => clearTimeout(waiting));
  box.addEventListener("mouseleave", hideSoon);
  box.addEventListener("mousedown", () => (pinned = true));
  box.addEventListener("focusout", leave);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    if (box.contains(document.activeElement)) shownFor?.focus();
    hide();
  });
  // Not a click, which is also what ends a selection that began in the note and ends beside it.
  document.addEventListener("mousedown", (event) => {
    if (shownFor && !box.contains(event.target) && !shownFor.contains(event.target)) hide();
  });
  new ResizeObserver(put).observe(document.body);
})();
