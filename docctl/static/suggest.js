// Suggestions while typing: a field marked data-suggest becomes a combobox with a list, as the WAI-ARIA practices describe it.
"use strict";

(() => {
  const WAIT = 120; // Milliseconds without a key before the server is asked.

  function combobox(input) {
    const said = input.dataset;
    const list = document.createElement("ul");
    const status = document.createElement("span");
    let options = [];
    let active = -1;
    let timer = 0;
    let asking = null;

    list.id = `${input.id}-suggestions`;
    list.className = "suggestions";
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", said.suggestLabel);
    status.className = "visually-hidden";
    status.setAttribute("role", "status");
    input.after(list, status);
    // A search field takes no other role; as a text field it looks the same and may be a combobox.
    input.type = "text";
    input.enterKeyHint = "search";
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-haspopup", "listbox");
    input.setAttribute("aria-controls", list.id);
    input.setAttribute("aria-expanded", "false");

    const isOpen = () => !list.hidden;

    function close() {
      clearTimeout(timer);
      asking?.abort();
      list.hidden = true;
      input.setAttribute("aria-expanded", "false");
      activate(-1);
    }

    function activate(place) {
      options[active]?.setAttribute("aria-selected", "false");
      active = place;
      const option = options[active];
      if (!option) { input.removeAttribute("aria-activedescendant"); return; }
      option.setAttribute("aria-selected", "true");
      input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    }

    const go = (option) => location.assign(option.dataset.url);

    function part(kind, text) {
      const span = document.createElement("span");
      span.className = kind;
      span.textContent = text;
      return span;
    }

    function show(items) {
      options = items.map((item, place) => {
        const option = document.createElement("li");
        option.id = `${list.id}-${place}`;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.dataset.url = item.url;
        if (item.code) option.append(part("code", item.code), " ");
        option.append(part("what", item.text));
        if (item.kind === "recent") option.append(" ", part("muted small", said.suggestRecent));
        return option;
      });
      active = -1;
      input.removeAttribute("aria-activedescendant");
      list.replaceChildren(...options);
      list.hidden = options.length === 0;
      input.setAttribute("aria-expanded", String(isOpen()));
      status.textContent = options.length ? said.suggestCount.replace("{n}", String(options.length)) : said.suggestNone;
    }

    async function ask(then) {
      asking?.abort();
      asking = new AbortController();
      const mine = asking;
      const question = new URLSearchParams({ q: input.value });
      const scope = input.form.elements.scope?.value;
      if (scope) question.set("scope", scope);
      try {
        const answer = await fetch(`${said.suggest}?${question}`, { signal: mine.signal, headers: { Accept: "application/json" } });
        if (!answer.ok || !answer.headers.get("content-type")?.includes("json")) return;
        const { items } = await answer.json();
        // An answer that comes when the field was left, or after a newer question, is of no use.
        if (mine !== asking || document.activeElement !== input) return;
        list.dataset.answers = question.get("q");
        show(items);
        then?.();
      } catch { /* Without an answer the search still works. */ }
    }

    input.addEventListener("input", () => {
      clearTimeout(timer);
      activate(-1);
      if (!input.value.trim()) { close(); return; }
      timer = setTimeout(ask, WAIT);
    });

    function step(by) {
      if (!options.length) return;
      const last = options.length - 1;
      activate(by > 0 ? (active < last ? active + 1 : 0) : (active > 0 ? active - 1 : last));
    }

    input.addEventListener("keydown", (event) => {
      if (event.isComposing || event.ctrlKey || event.metaKey) return;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        const by = event.key === "ArrowDown" ? 1 : -1;
        if (isOpen()) step(by); else { clearTimeout(timer); ask(() => step(by)); }
      } else if (event.key === "Enter" && isOpen() && active >= 0) {
        event.preventDefault();
        go(options[active]);
      } else if (event.key === "Escape" && isOpen()) {
        event.preventDefault();
        close();
      } else if (event.key === "Tab" || event.key === "Enter") {
        close();
      }
    });
    input.addEventListener("blur", close);
    // The field keeps the focus while an option is pressed.
    list.addEventListener("pointerdown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) go(option);
    });
    window.addEventListener("pageshow", close);
  }

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("input[data-suggest]").forEach(combobox));
})();
