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
  const items = () => new Map(Array.from(document.querySelectorAll("article.item"), (a) => [a.id, a]));
  const chosen = new Map();  // by exercise the item that is shown
  const show = (id, follow = true) => {
    const article = items().get(id);
    const exercise = article.closest(".exercise");
    chosen.set(exercise.dataset.exercise, id);
    for (const other of exercise.querySelectorAll("article.item")) {
      other.classList.toggle("shown", other === article);
    }
    let tensor = "";
    const graph = exercise.querySelector(".graph");
    for (const link of exercise.querySelectorAll("a.node")) {
      if (link.getAttribute("href") === "#" + id) {
        link.setAttribute("aria-current", "true");
        tensor = link.dataset.tensor;
        if (follow) {  // within the graph's own box alone
          const a = link.getBoundingClientRect(), b = graph.getBoundingClientRect();
          graph.scrollTop += Math.min(0, a.top - b.top - 72) + Math.max(0, a.bottom - b.bottom + 72);
          graph.scrollLeft += Math.min(0, a.left - b.left - 24) + Math.max(0, a.right - b.right + 24);
        }
      } else link.removeAttribute("aria-current");
    }
    for (const part of exercise.querySelectorAll(".edge, .arrives")) part.classList.toggle("now", part.dataset.to === tensor);
    if (follow) exercise.querySelector(".pane").scrollTop = 0;
    return article;
  };
  const again = () => { for (const id of chosen.values()) show(id, false); };
  for (const exercise of document.querySelectorAll(".exercise")) show(exercise.dataset.first);
  const fromHash = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    if (items().has(id)) show(id).scrollIntoView({ block: "nearest" });
  };
  addEventListener("hashchange", fromHash);
  fromHash();

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    const id = link && link.getAttribute("href").slice(1);
    if (!items().has(id) || event.ctrlKey || event.metaKey || event.shiftKey) return;
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

  // A tensor's pictures: the element under the pointer or the arrow keys, with its indices and both values.
  const floats = (text) => text && new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  const said = (value) => Number.isFinite(value) ? value === 0 ? "0" : String(Number(value.toPrecision(5))) : String(value).replace("Infinity", "inf");
  const tensors = new WeakMap();
  const tensor = (heats) => {
    if (!tensors.has(heats)) {
      const shape = heats.dataset.shape.split(",").filter(Boolean).map(Number);
      const slices = heats.querySelectorAll("option").length || 1;
      const yours = floats(heats.dataset.yours), wanted = floats(heats.dataset.wanted);
      const rows = slices > 1 ? shape[shape.length - 2] : shape.length > 1 ? shape[0] : 1;
      const columns = yours.length / slices / rows;
      tensors.set(heats, { shape, slices, yours, wanted, rows, columns, row: 0, column: 0, slice: Number(heats.dataset.first) });
    }
    return tensors.get(heats);
  };
  const indices = (t, flat) => {
    const at = [];
    for (let k = t.shape.length - 1; k >= 0; k--) { at.unshift(flat % t.shape[k]); flat = Math.floor(flat / t.shape[k]); }
    return at.length ? `[${at.join(", ")}]` : "the number";
  };
  const told = (t, flat) => t.wanted
    ? `yours ${said(t.yours[flat])}, autograd’s ${said(t.wanted[flat])}, difference ${said(t.yours[flat] - t.wanted[flat])}`
    : `yours ${said(t.yours[flat])}`;
  const point = (heats) => {
    const t = tensor(heats), flat = (t.slice * t.rows + t.row) * t.columns + t.column;
    const readout = heats.querySelector(".readout");
    readout.hidden = false;
    readout.textContent = `${indices(t, flat)}: ${told(t, flat)}`;
    for (const svg of heats.querySelectorAll(".heat:not([hidden]) svg")) {
      const box = svg.viewBox.baseVal, w = box.width / t.columns, h = box.height / t.rows;
      const cursor = svg.querySelector(".cursor");
      const size = { x: t.column * w - 1, y: t.row * h - 1, width: w + 2, height: h + 2 };
      for (const [name, value] of Object.entries(size)) cursor.setAttribute(name, value);
      cursor.setAttribute("visibility", "visible");
    }
  };
  const turnTo = (heats, slice) => {
    const t = tensor(heats);
    t.slice = slice;
    for (const figure of heats.querySelectorAll(".heat")) figure.hidden = Number(figure.dataset.partOf) !== slice;
    const select = heats.querySelector("select");
    if (select) select.value = slice;
    const details = heats.parentElement.querySelector(".numbers-view[open]");
    if (details) numbers(details);
  };
  document.addEventListener("pointermove", (event) => {
    const svg = event.target.closest(".heats[data-shape] .heat svg");
    if (!svg) return;
    const heats = svg.closest(".heats"), t = tensor(heats), box = svg.getBoundingClientRect();
    const cell = (at, size, count) => Math.max(0, Math.min(count - 1, Math.floor(at / size * count)));
    t.column = cell(event.clientX - box.x, box.width, t.columns);
    t.row = cell(event.clientY - box.y, box.height, t.rows);
    point(heats);
  });
  document.addEventListener("keydown", (event) => {
    const heats = event.target, turn = turns[event.key], page = { PageUp: -1, PageDown: 1 }[event.key];
    if (!heats.matches(".heats[data-shape]") || !(turn || page)) return;
    event.preventDefault();
    const t = tensor(heats), between = (value, most) => Math.max(0, Math.min(most - 1, value));
    if (turn) {
      t.column = between(t.column + turn[0], t.columns);
      t.row = between(t.row + turn[1], t.rows);
    } else turnTo(heats, between(t.slice + page, t.slices));
    point(heats);
  });
  document.addEventListener("change", (event) => {
    const heats = event.target.closest(".slices") && event.target.closest(".heats");
    if (heats) { turnTo(heats, Number(event.target.value)); point(heats); }
  });

  // The slice as numbers, yours above autograd's where they differ; made when it is first looked at.
  const MOST = 4096;
  const numbers = (details) => {
    const heats = details.parentElement.querySelector(".heats"), t = tensor(heats);
    const table = document.createElement("table");
    const add = (to, name, text = "") => { const one = document.createElement(name); one.textContent = text; to.append(one); return one; };
    const row = (to) => to.appendChild(document.createElement("tr"));
    const columns = Math.min(t.columns, MOST), rows = Math.min(t.rows, Math.ceil(MOST / columns));
    const head = row(add(table, "thead"));
    add(head, "td");
    for (let c = 0; c < columns; c++) add(head, "th", c).scope = "col";
    const body = add(table, "tbody");
    for (let r = 0; r < rows; r++) {
      const line = row(body);
      add(line, "th", r).scope = "row";
      for (let c = 0; c < columns; c++) {
        const flat = (t.slice * t.rows + r) * t.columns + c;
        const cell = add(line, "td", said(t.yours[flat]));
        if (t.wanted && said(t.wanted[flat]) !== said(t.yours[flat])) { cell.className = "off"; add(cell, "span", said(t.wanted[flat])); }
      }
    }
    const note = t.rows > rows ? `The first ${rows} of ${t.rows} rows. ` : "";
    const words = document.createElement("p");
    words.className = "quiet";
    words.textContent = `${note}${t.wanted ? "Where both differ in five digits, yours stands above autograd’s." : ""}`;
    details.querySelector("div").replaceChildren(words, table);
  };
  document.addEventListener("toggle", (event) => {
    if (event.target.matches(".numbers-view[open]")) numbers(event.target);
  }, true);

  // A bar of a student's strip says its item and verdict under the pointer.
  document.addEventListener("pointermove", (event) => {
    const strip = event.target.closest("svg.strip");
    if (!strip) return;
    const names = strip.dataset.items.split(" "), box = strip.getBoundingClientRect();
    const name = names[Math.min(names.length - 1, Math.floor((event.clientX - box.x) / box.width * names.length))];
    strip.querySelector("title").textContent = name.replace("=", ": ").replaceAll("-", " ");
  });

  const prepare = (part) => { for (const one of part.querySelectorAll(".numbers-view[open]")) numbers(one); };
  window.grader = { again, prepare };
})();
