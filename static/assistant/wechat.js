// WeChat's own functions on a page of ours: its script is loaded, the page's address signed, its answer waited for.
(() => {
  "use strict";

  const loadScript = (address) => new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = done;
    script.onerror = failed;
    document.head.append(script);
  });

  /** WeChat's object with these functions ready; fails where WeChat does not answer well. */
  const prepare = async ({ wechatScript, signature }, functions) => {
    window.module = {}; // the package is a CommonJS module
    await loadScript(wechatScript);
    const wx = window.module.exports;
    delete window.module;
    const page = encodeURIComponent(location.href.split("#")[0]);
    const answer = await fetch(`${signature}?url=${page}`);
    if (!answer.ok) throw new Error("signature");
    const signed = await answer.json();
    await new Promise((done, failed) => {
      wx.ready(done);
      wx.error(failed);
      wx.config({ ...signed, debug: false, jsApiList: functions });
    });
    return wx;
  };

  /** The menu at the upper right passes this card on; whatever fails leaves WeChat's own. */
  const shareCard = async ({ wechatScript, signature, title, brief, link, cover }, taken) => {
    const wx = await prepare({ wechatScript, signature }, ["updateAppMessageShareData", "updateTimelineShareData"]);
    const card = { title, desc: brief, link, imgUrl: cover };
    wx.updateAppMessageShareData({ ...card, success: () => taken && taken() });
    wx.updateTimelineShareData({ title, link, imgUrl: cover, success: () => {} });
  };

  window.inWeChat = { loadScript, prepare, shareCard };
})();
