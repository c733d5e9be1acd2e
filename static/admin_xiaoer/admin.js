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

  // Parts of a page that load by themselves: one that got no answer says so, until the next one did.
  const failed = document.createElement("p");
  failed.className = "xe-failed";
  failed.setAttribute("role", "alert");
  ["htmx:sendError", "htmx:timeout", "htmx:responseError"].forEach((name) => {
    document.addEventListener(name, () => {
      failed.textContent = "页面有一部分没有读出来：网络断了，或者服务器太忙。请刷新页面再试。";
      document.body.append(failed);
    });
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) failed.remove();
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
