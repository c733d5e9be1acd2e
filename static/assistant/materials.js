// A material in the guide's hands: copied with one tap, passed on by WeChat's menu; each says that she took it.
(() => {
  "use strict";

  const piece = document.getElementById("material");
  if (!piece) return;

  const taken = () => {
    const token = piece.querySelector("[name=csrfmiddlewaretoken]");
    fetch(piece.dataset.shared, { method: "POST", keepalive: true, headers: { "X-CSRFToken": token ? token.value : "" } }).catch(() => {});
  };

  const say = (text, isWrong = false) => {
    const toasts = document.getElementById("toasts");
    const line = document.createElement("p");
    line.className = `notice notice_plain${isWrong ? " notice_wrong" : ""}`;
    line.textContent = text;
    toasts.replaceChildren(line);
  };

  // Old phones and plain http have no clipboard of their own.
  const copyByHand = (text) => {
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "unseen";
    document.body.append(field);
    field.select();
    const isDone = document.execCommand("copy");
    field.remove();
    if (!isDone) throw new Error("copy");
  };
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      copyByHand(text);
    }
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    try {
      await copy(button.dataset.copy);
      say(piece.dataset.copied);
      taken();
    } catch {
      say(piece.dataset.failed, true);
    }
  });

  if (piece.dataset.takes === "yes") taken();
  if (piece.dataset.wechat === "yes" && document.getElementById("material-menu")) {
    const { title, brief, link, cover, wechatScript, signature } = piece.dataset;
    window.inWeChat.shareCard({ title, brief, link, cover, wechatScript, signature }, taken)
      .then(() => { document.getElementById("material-menu").hidden = false; })
      .catch(() => {});
  }
})();
