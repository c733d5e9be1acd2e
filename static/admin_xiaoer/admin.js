// Small helpers of the staff admin: copy buttons, keys of queues, secrets that are shown for a moment.
(() => {
  "use strict";

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    event.preventDefault();
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "已复制";
    } catch {
      button.textContent = "请手动选中复制";
    }
  });

  // One key an answer in queues that are worked off; not while somebody types.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.closest("input, select, textarea")) return;
    const button = document.querySelector(`[data-keys] [data-key="${CSS.escape(event.key)}"]`);
    if (button) button.click();
  });

  // A number that may be seen for a moment: gone when the time is up or the page is left.
  const startHiding = (card) => {
    const until = Date.now() + Number(card.dataset.hideAfter) * 1000;
    const secret = card.querySelector("[data-secret]");
    const hide = () => {
      clearInterval(timer);
      secret.textContent = "—";
      card.querySelector("[data-countdown]").textContent = card.dataset.hiddenText;
    };
    const timer = setInterval(() => {
      const left = Math.ceil((until - Date.now()) / 1000);
      if (left > 0) card.querySelector("[data-seconds]").textContent = left;
      else hide();
    }, 250);
    window.addEventListener("pagehide", hide);
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-hide-after]").forEach(startHiding);
  });
})();
