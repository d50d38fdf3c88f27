// What the pages add when a script may run; every page works without it.
"use strict";

(() => {
  const root = document.documentElement;
  const KEY = "docctl-theme";

  // A browser that forbids storage still gets the theme for this page.
  const remembered = () => { try { return localStorage.getItem(KEY); } catch { return null; } };
  const remember = (theme) => { try { localStorage.setItem(KEY, theme); } catch { /* Nothing to keep it in. */ } };

  // This file loads in the head, so that a chosen theme is there before the first paint.
  if (["light", "dark"].includes(remembered())) root.dataset.theme = remembered();

  const isDark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

  function themeButton(button) {
    const show = () => button.setAttribute("aria-pressed", String(isDark()));
    button.hidden = false;
    show();
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      remember(root.dataset.theme);
      show();
    });
  }

  function printButton(button) {
    button.hidden = false;
    button.addEventListener("click", () => print());
  }

  // Ticks every box of a name in the button's form, or none when all are ticked.
  function checkAllButton(button) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const boxes = [...button.form.querySelectorAll(`input[type=checkbox][name="${button.dataset.checkAll}"]`)];
      const tick = boxes.some((box) => !box.checked);
      boxes.forEach((box) => { box.checked = tick; });
    });
  }

  const isTyping = (element) => element.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(element.tagName);

  function focusSearch(event) {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const search = document.querySelector('input[aria-keyshortcuts="/"]');
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  }

  // A key that a link names follows it, unless somebody is typing or asks the browser for something else.
  function followKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || isTyping(event.target)) return;
    const link = document.querySelector(`a[data-key="${CSS.escape(event.key)}"]`);
    if (!link) return;
    const sheet = document.querySelector(".sheet");
    // An enlarged page that is being moved sideways is not turned over.
    if (sheet?.contains(event.target) && sheet.scrollWidth > sheet.clientWidth + 1) return;
    event.preventDefault();
    link.click();
  }

  function focusFirstInvalid() {
    const wrong = document.querySelector('[aria-invalid="true"]');
    if (!wrong) return;
    const folded = wrong.closest("details");
    if (folded) folded.open = true;
    wrong.focus();
  }

  // A form marked data-guard asks before its unsent content is left behind; data-guard="changed" is one shown again after an error.
  const unsaved = new Set();

  function guard(form) {
    if (form.dataset.guard === "changed") unsaved.add(form);
    form.addEventListener("input", () => unsaved.add(form));
    form.addEventListener("reset", () => unsaved.delete(form));
  }

  // A second press of a button before the answer comes would only be refused as stale; a page from the history starts afresh.
  let sent = new WeakSet();

  function sendOnce(event) {
    const form = event.target;
    if (form.method !== "post") return;
    if (sent.has(form)) { event.preventDefault(); return; }
    sent.add(form);
  }

  // More empty rows for a table of inputs; without a script the same button asks the server for them.
  function addRow(event) {
    const button = event.target.closest("[data-more-rows]");
    if (!button) return;
    event.preventDefault();
    const rows = button.form.querySelector("[data-rows]");
    const last = rows.lastElementChild;
    const number = rows.children.length;
    const row = last.cloneNode(true);
    const renumber = (text) => text.replace(/-\d+-/, `-${number}-`);
    row.querySelectorAll("input, textarea").forEach((field) => {
      field.name = renumber(field.name);
      field.id = renumber(field.id);
      field.value = "";
      field.removeAttribute("aria-invalid");
      field.removeAttribute("aria-describedby");
    });
    row.querySelectorAll("label").forEach((label) => {
      label.htmlFor = renumber(label.htmlFor);
      const said = label.querySelector("[data-row-label]");
      said.textContent = said.textContent.replace(/\d+/, String(number + 1));
    });
    rows.append(row);
    row.querySelector("input, textarea").focus();
  }

  // Says whether a file is the issued one: its SHA-256 is computed here, and nothing of it leaves the browser.
  function compare(place) {
    const input = place.querySelector("input[type=file]");
    const issued = place.dataset.compare.split(" ");
    const show = (result) => place.querySelectorAll("[data-result]").forEach((one) => { one.hidden = one.dataset.result !== result; });
    async function look(file) {
      if (!file) return;
      // Browsers compute only on pages that came safely: over TLS, or from this machine.
      if (!globalThis.crypto?.subtle) { show("unable"); return; }
      show("working");
      try {
        const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
        const hex = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
        show(issued.includes(hex) ? "same" : "other");
      } catch { show("unable"); }
    }
    place.hidden = false;
    input.addEventListener("change", () => look(input.files[0]));
    // A file that misses the field must not be opened in place of the page.
    document.addEventListener("dragover", (event) => { event.preventDefault(); place.classList.add("is-over"); });
    document.addEventListener("dragleave", () => place.classList.remove("is-over"));
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      place.classList.remove("is-over");
      look(event.dataTransfer.files[0]);
    });
  }

  document.addEventListener("submit", sendOnce);
  document.addEventListener("click", addRow);
  window.addEventListener("pageshow", () => { sent = new WeakSet(); });
  document.addEventListener("submit", (event) => unsaved.delete(event.target));
  window.addEventListener("beforeunload", (event) => { if ([...unsaved].some((form) => form.isConnected)) event.preventDefault(); });
  document.addEventListener("keydown", focusSearch);
  document.addEventListener("keydown", followKey);

  // The toggle event does not bubble, so it is caught on its way down.
  document.addEventListener("toggle", (event) => {
    if (event.target.matches("details:is(.act, .keep)[open]")) event.target.querySelector("textarea, input:not([type=hidden])")?.focus();
  }, true);

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-theme-button]").forEach(themeButton);
    document.querySelectorAll("[data-print]").forEach(printButton);
    document.querySelectorAll("[data-check-all]").forEach(checkAllButton);
    document.querySelectorAll("form[data-guard]").forEach(guard);
    document.querySelectorAll("[data-compare]").forEach(compare);
    focusFirstInvalid();
  });
  // A chosen answer asks at once; typed words ask on Enter, so that one act is one request and one step of the history.
  document.addEventListener("change", (event) => {
    if (event.target.matches("form.filters[hx-get] :is(select, [type=checkbox])")) event.target.form.requestSubmit();
  });
  // A question that cannot be answered is asked again as a page of its own, which marks the field and says why.
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.elt.matches("form.filters")) event.detail.elt.submit();
  });
  document.addEventListener("htmx:load", (event) => {
    event.target.querySelectorAll("form[data-guard]").forEach(guard);
  });
})();
