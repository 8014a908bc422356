// Turns the open page into the whole report: a cover, contents with links, and every page of the navigation in order.
async (given) => {
  const words = JSON.parse(given);
  const home = new URL(document.querySelector(".md-logo").href);
  const plain = (text) => text.replace(/\s+/g, " ").trim();
  const name = (address) => `page-${address.slice(home.href.length).replace(/\W+/g, "-").replace(/-$/, "") || "home"}`;
  const element = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  // Every page once, by its address, with the section of the navigation that it stands in.
  const groups = new Map();
  for (const link of document.querySelectorAll(".md-nav--primary a.md-nav__link[href]")) {
    const address = new URL(link.href).href.split("#")[0];
    if (!address.startsWith(home.href) || groups.has(address)) continue;
    const label = link.closest(".md-nav__item--section")?.querySelector(":scope > label, :scope > .md-nav__link");
    groups.set(address, label ? plain(label.textContent) : "");
  }
  if (!groups.has(home.href)) throw new Error("The navigation does not name the site's own first page.");

  const chapters = [];
  for (const [address, group] of groups) {
    const text = await (await fetch(address)).text();
    const article = new DOMParser().parseFromString(text, "text/html").querySelector("article");
    // The evidence, and a chart's numbers and files, are on the site: here the verdict and the drawing are enough.
    const screen = ".headerlink, .md-content__button, .md-code__nav, .md-path, script, .rg-numbers, .rg-files, .rg-note, #evidence";
    article.querySelectorAll(screen).forEach((part) => part.remove());
    article.querySelectorAll("details").forEach((block) => (block.open = true));
    article.querySelectorAll("a.rg-fact, a.rg-mark").forEach((link) => {
      const words = element("span", { className: link.className });
      words.append(...link.childNodes);
      link.replaceWith(words);
    });
    article.querySelectorAll("[src], [href]").forEach((part) => {
      for (const attribute of ["src", "href"]) {
        const value = part.getAttribute(attribute);
        if (value && !value.startsWith("#")) part.setAttribute(attribute, new URL(value, address).href);
      }
    });
    // What was one page's own identifier must be the document's.
    const mine = name(address);
    const rename = (id) => `${mine}--${id}`;
    article.querySelectorAll("[id]").forEach((part) => (part.id = rename(part.id)));
    for (const attribute of ["aria-labelledby", "aria-describedby"]) {
      article.querySelectorAll(`[${attribute}]`).forEach((part) => {
        part.setAttribute(attribute, part.getAttribute(attribute).split(/\s+/).map(rename).join(" "));
      });
    }
    article.querySelectorAll("svg *").forEach((part) => {
      for (const { name: attribute, value } of [...part.attributes]) {
        if (value.startsWith("#")) part.setAttribute(attribute, `#${rename(value.slice(1))}`);
        else if (value.includes("url(#")) part.setAttribute(attribute, value.replace(/url\(#/g, `url(#${mine}--`));
      }
    });
    article.querySelectorAll("a[href]").forEach((link) => {
      const target = link.getAttribute("href");
      const [page, part] = target.split("#");
      if (!page) link.setAttribute("href", `#${rename(part)}`);
      else if (groups.has(page)) link.setAttribute("href", part ? `#${name(page)}--${part}` : `#${name(page)}`);
      else if (target.startsWith(home.origin)) {
        // A file of the site: where that will be is known, or there is nothing to link.
        if (words.address) link.setAttribute("href", words.address + target.slice(home.href.length));
        else link.replaceWith(...link.childNodes);
      }
    });
    const chapter = element("section", { id: mine, className: "rg-chapter md-typeset" });
    chapter.append(...article.childNodes);
    chapters.push({ chapter, group, title: plain(chapter.querySelector("h1")?.textContent ?? "") });
  }

  const cover = element("section", { className: "rg-cover md-typeset" });
  const band = element("div", { className: "rg-cover-band" });
  band.append(
    element("img", { src: document.querySelector(".md-logo img").src, alt: "" }),
    element("h1", { textContent: words.title }),
    element("p", { textContent: words.about }),
  );
  cover.append(band, ...[words.recorded, words.evidence, words.address].filter(Boolean).map((text) => element("p", { textContent: text })));

  const contents = element("nav", { className: "rg-contents md-typeset" }, element("h2", { textContent: words.contents }));
  let last = "";
  let list = null;
  for (const { chapter, group, title } of chapters) {
    if (!list || group !== last) {
      if (group) contents.append(element("h3", { textContent: group }));
      contents.append((list = element("ul")));
      last = group;
    }
    // Where a page begins is known once all is printed; the room for its number is there before.
    const number = element("span", { className: "rg-page", textContent: "000" });
    number.dataset.of = chapter.id;
    const link = element("a", { href: `#${chapter.id}` }, element("span", { textContent: title }), element("i"), number);
    list.append(element("li", {}, link));
  }

  // A named page for each chapter carries its title at the head.
  const heads = chapters.map(({ chapter, title }) => {
    chapter.style.page = chapter.id;
    return `@page ${chapter.id} { @top-left { content: ${JSON.stringify(title)} } }`;
  });
  const style = element("style", { textContent: words.style + heads.join("\n") });
  document.body.replaceChildren(style, cover, contents, ...chapters.map(({ chapter }) => chapter));
  document.title = words.title;

  // A link to the evidence leads to the sentence that it belongs to, and a link to nothing to its page.
  document.querySelectorAll('a[href^="#"]').forEach((link) => {
    const wanted = decodeURIComponent(link.hash.slice(1));
    const known = [wanted, wanted.replace("--claim-", "--said-"), wanted.split("--")[0]].find((id) => document.getElementById(id));
    if (known) link.href = `#${known}`;
    else link.replaceWith(...link.childNodes);
  });
};
