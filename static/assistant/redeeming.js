// Scanning a coupon: WeChat's scanner inside WeChat, else the browser's own reader of codes, else one that is loaded
// then and there; whatever fails leads to typing, with a sentence. Texts and addresses come from the page.
(() => {
  "use strict";

  const root = document.getElementById("redeem");
  if (!root) return;
  const LOOK_MS = 150;
  const PATIENCE_MS = 6000; // WeChat answers at once, or never
  const find = (selector) => root.querySelector(selector);

  const say = (why) => {
    const note = find("[data-camera-note]");
    if (!note) return;
    note.hidden = !why;
    note.textContent = why ? note.dataset[why] : "";
  };

  // A code goes the way of a typed one.
  const use = (text) => {
    const field = document.getElementById("coupon-code");
    if (!field) return;
    field.value = text.trim();
    if (navigator.vibrate) navigator.vibrate(60);
    field.form.requestSubmit();
  };

  // WeChat -----------------------------------------------------------------------------------------------------

  let wechat = null;
  const scanInWeChat = async () => {
    const wx = await Promise.race([wechat, new Promise((_done, failed) => { setTimeout(failed, PATIENCE_MS); })]);
    say("");
    await new Promise((done, failed) => {
      wx.scanQRCode({
        needResult: 1,
        scanType: ["qrCode", "barCode"],
        // A bar code comes as CODE_128,12345.
        success: (result) => { use(result.resultStr.split(",").pop()); done(); },
        cancel: done,
        fail: failed,
      });
    });
  };

  // The browser's camera ---------------------------------------------------------------------------------------

  let stream = null;
  let looking = 0;
  const stopCamera = () => {
    clearTimeout(looking);
    if (stream) stream.getTracks().forEach((track) => track.stop());
    stream = null;
    const box = find("[data-camera]");
    if (box) box.hidden = true;
    const button = find("[data-scan]");
    if (button) button.hidden = false;
  };

  let reader = null;
  const makeReader = async () => {
    const wanted = ["qr_code", "code_128"];
    if ("BarcodeDetector" in window) {
      const known = await window.BarcodeDetector.getSupportedFormats();
      if (known.includes("qr_code")) {
        return new window.BarcodeDetector({ formats: wanted.filter((format) => known.includes(format)) });
      }
    }
    await window.inWeChat.loadScript(root.dataset.reader);
    const api = window.BarcodeDetectionAPI;
    api.prepareZXingModule({ overrides: { locateFile: () => root.dataset.readerWasm } });
    return new api.BarcodeDetector({ formats: wanted });
  };

  const look = async () => {
    const video = find("video");
    if (!stream || !video) return;
    let found = [];
    try {
      found = await (await reader).detect(video);
    } catch (error) {
      if (error.name !== "InvalidStateError") { // the first picture is not there yet
        stopCamera();
        say("none");
        return;
      }
    }
    if (!stream) return;
    if (found.length) {
      stopCamera();
      use(found[0].rawValue);
    } else {
      looking = setTimeout(look, LOOK_MS);
    }
  };

  const scanWithCamera = async () => {
    if (!navigator.mediaDevices || !navigator.mediaDevices.getUserMedia) {
      say("none");
      return;
    }
    say("opening");
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: { facingMode: "environment", width: { ideal: 1280 } },
      });
    } catch (error) {
      say(error.name === "NotAllowedError" ? "denied" : "none");
      return;
    }
    const video = find("video");
    if (!video) {
      stopCamera();
      return;
    }
    find("[data-camera]").hidden = false;
    find("[data-scan]").hidden = true;
    say("");
    video.srcObject = stream;
    await video.play();
    reader = reader || makeReader().catch((error) => { reader = null; throw error; });
    look();
  };

  const scan = async () => {
    if (!wechat) {
      await scanWithCamera();
      return;
    }
    say("opening");
    try {
      await scanInWeChat();
    } catch {
      wechat = null; // the next tap tries the camera
      say("wechatFailed");
    }
  };

  // The page ---------------------------------------------------------------------------------------------------

  root.addEventListener("click", (event) => {
    if (event.target.closest("[data-scan]")) scan();
    if (event.target.closest("[data-camera-stop]")) stopCamera();
  });

  // Groups of four while typing, as the code is printed; the 20 digits of a screen likewise.
  root.addEventListener("input", (event) => {
    const field = event.target;
    if (!field.matches("[data-grouped]") || event.isComposing) return;
    if (field.selectionEnd !== field.value.length) return; // mending in the middle: leave it alone
    const plain = field.value.normalize("NFKC").toUpperCase().replace(/[^0-9A-Z]/g, "");
    field.value = plain.replace(/(.{4})(?=.)/g, "$1 ");
  });

  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id === "redeem-step") stopCamera();
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target.id !== "redeem-step") return;
    window.scrollTo(0, 0);
    const board = find(".board");
    if (board) board.focus();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible") stopCamera();
  });
  window.addEventListener("pagehide", stopCamera);

  if (root.dataset.wechat === "yes") {
    wechat = window.inWeChat.prepare(root.dataset, ["scanQRCode"]);
    wechat.catch(() => {}); // told when she taps
  }
})();
