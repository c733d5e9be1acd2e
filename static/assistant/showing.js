// A code that is shown for minutes: counts down, looks who took it, keeps the screen awake where the browser can.
(() => {
  "use strict";

  const LOOK_MS = 3000;
  const SLOWEST_LOOK_MS = 20000;
  const live = () => document.getElementById("face-live");
  const isOpen = () => Boolean(live()) && live().dataset.open === "yes";

  // The countdown runs by this phone's own steps, from what the server said was left.
  let until = 0;
  const start = () => {
    until = performance.now() + Number(live().dataset.left) * 1000;
    tick();
  };
  const tick = () => {
    if (!isOpen()) return;
    const left = Math.max(0, Math.ceil((until - performance.now()) / 1000));
    const share = Math.min(1, left / Number(live().dataset.whole));
    live().querySelector("[data-clock]").textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    live().querySelector("[data-ring]").setAttribute("stroke-dashoffset", 100 - share * 100);
    live().classList.toggle("is-ending", left <= 60);
    if (left === 0) look();
  };
  setInterval(tick, 1000);

  // Who took it: while somebody looks and the code is open; slower while the network fails.
  let failures = 0;
  let timer = 0;
  const plan = () => {
    clearTimeout(timer);
    if (isOpen()) timer = setTimeout(look, Math.min(LOOK_MS * 2 ** failures, SLOWEST_LOOK_MS));
  };
  const look = () => {
    if (document.visibilityState === "visible" && window.htmx && live()) window.htmx.trigger(live(), "look");
    plan();
  };
  const note = (worked) => {
    failures = worked ? 0 : failures + 1;
    document.getElementById("offline").hidden = failures < 2;
    plan();
  };
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt.id === "face-live") note(event.detail.successful);
  });
  document.addEventListener("htmx:afterSettle", () => { if (live()) start(); });

  // The phone lies on the counter and must not go dark.
  let awake = null;
  const stayAwake = async () => {
    if (!("wakeLock" in navigator) || document.visibilityState !== "visible" || !isOpen()) return;
    try {
      awake = await navigator.wakeLock.request("screen");
    } catch {
      awake = null; // a phone that saves power says no
    }
  };
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible") return;
    stayAwake();
    look();
  });
  window.addEventListener("pageshow", (event) => { if (event.persisted) look(); });
  document.addEventListener("htmx:afterSettle", () => {
    if (awake && !isOpen()) awake.release();
  });

  start();
  plan();
  stayAwake();
})();
