// Turns the open page into the whole report: a cover, contents with links, and every page of the navigation in order.
async (given) => {
  const words = JSON.parse(given);
  const home = new URL(document.querySelector(".md-header a.md-logo, .md-logo").href);
  const links = [...document.querySelectorAll(".md-nav--primary a.md-nav__link[href]")];
  const addresses = [...new Set(links.map((link) => new URL(link.href).href.split("#")[0]))].filter((address) =>
    address.startsWith(home.href),
  );
  if (!addresses.includes(home.href)) addresses.unshift(home.href);
  const name = (address) => `page-${address.slice(home.href.length).replace(/\W+/g, "-") || "home"}`;

  const chapters = [];
  for (const address of addresses) {
    const text = await (await fetch(address)).text();
    const article = new DOMParser().parseFromString(text, "text/html").querySelector("article");
    article.querySelectorAll(".headerlink, .md-content__button, script, .md-code__nav, .md-path").forEach((part) => part.remove());
    article.querySelectorAll("details").forEach((block) => {
      // The numbers of a chart are in the chart, and the evidence for a claim is on the site: its verdict is enough here.
      if (block.classList.contains("rg-numbers")) block.remove();
      else block.open = !block.classList.contains("rg-note");
    });
    article.querySelectorAll("[src], [href]").forEach((element) => {
      for (const attribute of ["src", "href"]) {
        const value = element.getAttribute(attribute);
        if (!value || (attribute === "href" && value.startsWith("#"))) continue;
        element.setAttribute(attribute, new URL(value, address).href);
      }
    });
    // What was one page's own identifier must be the document's.
    const mine = name(address);
    const rename = (id) => `${mine}--${id}`;
    article.querySelectorAll("[id]").forEach((element) => (element.id = rename(element.id)));
    for (const attribute of ["aria-labelledby", "aria-describedby"]) {
      article.querySelectorAll(`[${attribute}]`).forEach((element) => {
        element.setAttribute(attribute, element.getAttribute(attribute).split(/\s+/).map(rename).join(" "));
      });
    }
    article.querySelectorAll("svg *").forEach((element) => {
      for (const { name: attribute, value } of [...element.attributes]) {
        if (value.startsWith("#")) element.setAttribute(attribute, `#${rename(value.slice(1))}`);
        else if (value.includes("url(#")) element.setAttribute(attribute, value.replace(/url\(#/g, `url(#${mine}--`));
      }
    });
    article.querySelectorAll("a[href]").forEach((link) => {
      const target = link.getAttribute("href");
      if (target.startsWith("#")) return link.setAttribute("href", `#${rename(target.slice(1))}`);
      const [page, part] = target.split("#");
      if (addresses.includes(page)) link.setAttribute("href", part ? `#${name(page)}--${part}` : `#${name(page)}`);
    });
    const section = document.createElement("section");
    section.id = mine;
    section.className = "rg-chapter md-typeset";
    section.append(...article.childNodes);
    chapters.push(section);
  }

  const element = (tag, text, className = "") => Object.assign(document.createElement(tag), { textContent: text, className });
  const cover = element("section", "", "rg-cover md-typeset");
  cover.append(element("h1", words.title), element("p", words.about), element("p", words.recorded));
  const contents = element("nav", "", "rg-contents md-typeset");
  const list = element("ol", "");
  for (const chapter of chapters) {
    const link = element("a", chapter.querySelector("h1")?.textContent ?? "");
    link.href = `#${chapter.id}`;
    const entry = element("li", "");
    entry.append(link);
    list.append(entry);
  }
  contents.append(element("h2", words.contents), list);
  const style = element(
    "style",
    `@page { size: A4 }
    html { font-size: 100% } body { background: none } .md-typeset { font-size: 10.5pt; line-height: 1.45 }
    .rg-cover { height: 240mm; display: flex; flex-direction: column; justify-content: center; break-after: page }
    .rg-cover h1 { font-size: 30pt } .rg-contents, .rg-chapter { break-after: page } .rg-contents li { margin: 0.2em 0 }
    figure, tr, pre, .rg-diff-change { break-inside: avoid } h2, h3 { break-after: avoid }
    .rg-scroll { overflow: visible } .md-typeset pre > code { white-space: pre-wrap; overflow-wrap: anywhere }
    .md-typeset table.rg-table:not([class=""]) { font-size: 7.5pt } .md-typeset .rg-figure { max-width: 120mm }`,
  );
  document.body.replaceChildren(style, cover, contents, ...chapters);
  document.title = words.title;
};
