// A shared material: it says once that somebody sees it, and passes its card on inside WeChat.
(() => {
  "use strict";

  const page = document.getElementById("shared");
  if (!page) return;

  let isTold = false;
  const tell = () => {
    if (isTold || document.visibilityState !== "visible") return;
    isTold = true;
    fetch(page.dataset.seen, { method: "POST", keepalive: true }).catch(() => {});
  };
  document.addEventListener("visibilitychange", tell);
  tell();

  // Where WeChat sent her back to: passed on by hand the address is the plain one.
  if (location.search.includes("w=")) history.replaceState(null, "", location.pathname);

  document.querySelectorAll("[data-hide-broken] img").forEach((image) => {
    const hide = () => { image.closest("[data-hide-broken]").hidden = true; };
    if (image.complete && !image.naturalWidth) hide();
    image.addEventListener("error", hide);
  });

  if (page.dataset.wechat === "yes") window.inWeChat.shareCard(page.dataset).catch(() => {});
})();
