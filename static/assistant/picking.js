// Picking members for a coupon: what is picked survives search, filters and 后退; the bar counts.
(() => {
  "use strict";

  const byId = (id) => document.getElementById(id);
  const keyOf = (batch) => `picked-${batch}`;
  const read = (key) => {
    try { return JSON.parse(sessionStorage.getItem(key) || "[]"); } catch { return []; }
  };
  const keep = (key, ids) => {
    try { sessionStorage.setItem(key, JSON.stringify(ids)); } catch { /* a private window keeps nothing */ }
  };

  // The result: what was picked is done with.
  const over = document.querySelector("[data-pick-over]");
  if (over) keep(keyOf(over.dataset.pickOver), []);

  const list = byId("pick-list");
  if (!list) return;
  const bar = byId("pick-bar");
  const most = Number(list.dataset.most);
  const key = keyOf(list.dataset.key);
  const picked = new Set(read(key).slice(0, most));

  const draw = () => {
    list.querySelectorAll("[data-pick]").forEach((box) => {
      box.checked = picked.has(box.value);
      box.disabled = most === 0;
    });
    bar.hidden = picked.size === 0;
    bar.querySelector("[data-pick-count]").textContent = picked.size;
    byId("pick-chosen").replaceChildren(...[...picked].map((id) => {
      const field = document.createElement("input");
      field.type = "hidden";
      field.name = "m";
      field.value = id;
      return field;
    }));
    keep(key, [...picked]);
  };

  list.addEventListener("change", (event) => {
    const box = event.target.closest("[data-pick]");
    if (!box) return;
    if (!box.checked) picked.delete(box.value);
    else if (picked.size < most) picked.add(box.value);
    else document.dispatchEvent(new CustomEvent("refused", { detail: { text: list.dataset.full } }));
    draw();
  });
  bar.querySelector("[data-pick-none]").addEventListener("click", () => {
    picked.clear();
    draw();
  });
  document.addEventListener("htmx:afterSettle", draw);
  draw();
})();
