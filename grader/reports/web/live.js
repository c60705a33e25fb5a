// `grader live`: a stream tells that there is a newer page; of it come the parts that differ.
(() => {
  const root = document.documentElement, status = document.getElementById("status");
  const say = (text) => { status.textContent = text; };
  const parts = (page) => new Map(Array.from(page.querySelectorAll("[data-part]"), (one) => [one.dataset.part, one]));
  const source = (one) => one.outerHTML;
  const passed = (node) => node.matches(".exact, .approximate");
  const focusable = "a, button, summary, select, [tabindex]";
  let known = new Map(), busy = false, wanted = Number(root.dataset.version), stream = null;

  const served = async () => {
    const answer = await fetch("", { cache: "no-store" });
    if (!answer.ok) throw new Error("no page");
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  };
  const remember = (page) => { known = new Map(Array.from(parts(page), ([name, one]) => [name, source(one)])); };

  const swap = (old, one) => {
    const was = new Map(Array.from(old.querySelectorAll("a.node"), (node) => [node.dataset.tensor, passed(node)]));
    const open = new Set(Array.from(old.querySelectorAll("details[open]"), (d) => d.dataset.name));
    const hints = old.querySelectorAll("details.hint").length;
    const at = old.contains(document.activeElement) ? Array.from(old.querySelectorAll(focusable)).indexOf(document.activeElement) : -2;
    const slice = old.querySelector("select"), top = old.scrollTop;
    one.classList.toggle("shown", old.classList.contains("shown"));
    for (const details of one.querySelectorAll("details:not(.hint)")) details.open ||= open.has(details.dataset.name);
    old.replaceWith(one);
    one.scrollTop = top;
    window.grader.prepare(one);
    const chosen = one.querySelector("select");
    if (slice && chosen && slice.value !== chosen.value) {
      chosen.value = slice.value;
      chosen.dispatchEvent(new Event("change", { bubbles: true }));
    }
    for (const node of one.querySelectorAll("a.node")) {
      if (passed(node) && was.get(node.dataset.tensor) === false) node.classList.add("turned");
    }
    if (at > -2) {
      const fresh = one.querySelectorAll("details.hint");
      const target = fresh.length > hints ? fresh[fresh.length - 1].querySelector("summary") : one.querySelectorAll(focusable)[at] || one;
      target.focus({ preventScroll: true });
    }
  };

  const renew = async () => {
    if (busy) return;
    busy = true;
    try {
      while (Number(root.dataset.version) !== wanted) {
        const page = await served();
        const now = parts(page), here = parts(document);
        if (now.size !== here.size || Array.from(now.keys()).some((name) => !here.has(name))) {
          location.reload();
          return;
        }
        const text = new Map(Array.from(now, ([name, one]) => [name, source(one)]));
        for (const [name, one] of now) if (text.get(name) !== known.get(name)) swap(here.get(name), document.adoptNode(one));
        known = text;
        window.grader.again();
        root.dataset.version = wanted = Math.max(wanted, Number(page.documentElement.dataset.version));
      }
    } catch { say("The page could not be fetched; the next save tries again."); }
    busy = false;
  };

  const listen = () => {
    stream = new EventSource("events");
    root.classList.add("listens");  // before, the page may still load anew
    stream.onmessage = (event) => {
      say("");
      wanted = Number(event.data);
      renew();
    };
    stream.onerror = () => say("The connection is lost. Is `grader live` still running? Trying again …");
    stream.addEventListener("end", () => {
      stream.close();
      stream = null;
      root.classList.add("ended");
      say("The command has ended: `grader live` starts it again. What stands here stays.");
      for (const button of document.querySelectorAll("[data-do]")) button.disabled = true;
    });
  };
  // Few connections may lead to one address: a page that nobody sees leaves its own to the others.
  document.addEventListener("visibilitychange", () => {
    if (root.classList.contains("ended")) return;
    if (document.hidden && stream) { stream.close(); stream = null; }
    else if (!document.hidden && !stream) listen();
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-do]");
    if (!button) return;
    const told = JSON.stringify({ do: button.dataset.do, item: button.dataset.item });
    try { say(await (await fetch("act", { method: "POST", body: told })).text()); }
    catch { say("`grader live` does not answer."); }
  });
  served().then((page) => {
    remember(page);
    if (page.documentElement.dataset.version !== root.dataset.version) location.reload();
    else listen();
  }).catch(listen);
})();
