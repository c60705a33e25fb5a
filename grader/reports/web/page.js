"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");

  // Light or dark: the system's, until the button says otherwise.
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
  const label = () => { button.textContent = dark() ? "Light theme" : "Dark theme"; };
  try { root.dataset.theme = localStorage.getItem("grader-theme") || ""; } catch { /* no storage */ }
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    try { localStorage.setItem("grader-theme", root.dataset.theme); } catch { /* no storage */ }
    label();
  });
  system.addEventListener("change", label);
  label();

  // One item at a time beside the graph; without this script all of them are there, one below the other.
  const narrow = matchMedia("(max-width: 900px)");
  const items = new Map(Array.from(document.querySelectorAll("article.item"), (a) => [a.id, a]));
  const show = (id) => {
    const article = items.get(id);
    const exercise = article.closest(".exercise");
    for (const other of exercise.querySelectorAll("article.item")) {
      other.classList.toggle("shown", other === article);
    }
    for (const link of exercise.querySelectorAll("a.node")) {
      if (link.getAttribute("href") === "#" + id) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    exercise.querySelector(".pane").scrollTop = 0;
    return article;
  };
  for (const exercise of document.querySelectorAll(".exercise")) show(exercise.dataset.first);
  const fromHash = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    if (items.has(id)) show(id).scrollIntoView({ block: "nearest" });
  };
  addEventListener("hashchange", fromHash);
  fromHash();

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    const id = link && link.getAttribute("href").slice(1);
    if (!items.has(id) || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const article = show(id);
    history.replaceState(null, "", "#" + id);
    const byKey = event.detail === 0;
    if (byKey || !link.classList.contains("node")) article.focus({ preventScroll: true });
    if (narrow.matches || !link.classList.contains("node")) article.scrollIntoView({ block: narrow.matches ? "start" : "nearest" });
  });

  // Arrow keys in a graph: to the nearest item in that direction. Escape goes back from an item to its node.
  const turns = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
  document.addEventListener("keydown", (event) => {
    const article = event.target.closest("article.item");
    if (event.key === "Escape" && article) {
      const node = article.closest(".exercise").querySelector("a.node[aria-current]");
      if (node) node.focus();
    }
    const node = event.target.closest("a.node");
    const turn = turns[event.key];
    if (!node || !turn) return;
    event.preventDefault();
    const middle = (one) => { const b = one.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; };
    const [x, y] = middle(node);
    let best = null, least = Infinity;
    for (const other of node.closest("svg").querySelectorAll("a.node")) {
      const [u, v] = middle(other);
      const along = (u - x) * turn[0] + (v - y) * turn[1];
      const aside = Math.abs((u - x) * turn[1]) + Math.abs((v - y) * turn[0]);
      if (along > 1 && along + 2 * aside < least) { best = other; least = along + 2 * aside; }
    }
    if (best) best.focus();
  });
})();
