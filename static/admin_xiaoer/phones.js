// What members will see, while it is typed: asked of the server, which knows every limit.
(() => {
  "use strict";

  const WAIT_MS = 250;

  const KEPT = ["page", "is_on"];

  /** Another topic or template has other places: the page comes anew, with what was typed of the rest. */
  const choose = (form, choice) => {
    const asked = new URLSearchParams();
    for (const name of ["topic", choice]) {
      const field = form.elements.namedItem(name);
      if (field && !field.value) return;
      if (field) asked.set(name, field.value);
    }
    for (const name of KEPT) {
      const field = form.elements.namedItem(name);
      if (field) asked.set(name, field.type === "checkbox" ? (field.checked ? "1" : "") : field.value);
    }
    location.search = asked;
  };

  const start = (preview) => {
    const form = preview.closest("main, body").querySelector("form[id$='_form']");
    const shown = preview.querySelector("[data-phone-shown]");
    const tabs = [...preview.querySelectorAll("[data-phone-sample]")];
    if (!form) return;
    form.addEventListener("change", ({ target }) => {
      const choice = preview.dataset.phoneChoice;
      if (choice && ["topic", choice].includes(target.name)) choose(form, choice);
    });
    if (!shown) return;
    let wait = 0;
    let asked = 0;

    const draw = async () => {
      const number = ++asked;
      const body = new FormData(form);
      body.set("sample", tabs.find((tab) => tab.ariaSelected === "true")?.dataset.phoneSample ?? "");
      try {
        const answer = await fetch(preview.dataset.phonePreview, { method: "POST", body, redirect: "error" });
        const html = await answer.text();
        if (answer.ok && number === asked) shown.innerHTML = html;
      } catch { /* the next change asks again */ }
    };
    const soon = () => {
      clearTimeout(wait);
      wait = setTimeout(draw, WAIT_MS);
    };
    // The fixed text counts only where it was chosen.
    const showWords = () => {
      form.querySelectorAll("select[name^='value__']").forEach((select) => {
        const name = select.name.replace("value__", "words__");
        const row = form.querySelector(`.field-${name}`);
        form.elements.namedItem(name).disabled = select.value !== "";
        if (row) row.hidden = select.value !== "";
      });
    };
    form.addEventListener("input", soon);
    form.addEventListener("change", () => { showWords(); soon(); });
    tabs.forEach((tab) => tab.addEventListener("click", () => {
      tabs.forEach((one) => { one.ariaSelected = String(one === tab); });
      draw();
    }));
    showWords();
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-phone-preview]").forEach(start);
  });
})();
