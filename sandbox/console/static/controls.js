// Right, below: faults, the clock, the account.
import { $, clockText, copy, dayText, h, openDialog, toast } from "/static/dom.js";
import { account, ask, choose, now, on, state } from "/static/store.js";

const CALL_FAULTS = [
  ["slow", "很慢", "8 秒后才回应"], ["http_500", "500", "回 HTTP 500"], ["html", "回网页", "该回 JSON 时回了网页"],
  ["busy", "繁忙 -1", "系统繁忙"], ["token_dead", "令牌失效", "40001"], ["quota", "额度用完", "45009"],
  ["too_often", "太频繁", "45011"], ["drop", "断线", "什么都没做就断开"], ["accept_then_drop", "做完才断", "做了，但没说就断开"],
  ["undelivered", "收下没送到", "模板消息、订阅消息或群发收下了，之后说没送到"],
];
const PUSH_FAULTS = [
  ["slow", "晚到", "8 秒后才送出"], ["drop", "丢失", "没有送出"], ["duplicate", "重复", "同一条送两次"],
  ["hold", "扣住", "先不送，由您放出"], ["same_second", "同一秒", "和上一条的时间相同"],
  ["accept_then_drop", "没听到回应", "收到了却当没收到，再送一次"],
];
const TIMES = [["1", "下一次"], ["5", "接下来 5 次"], ["", "一直"]];
let times = "1";

function find(target, kind) {
  return state.faults.find((fault) => fault.target === target && fault.kind === kind && !fault.app_id);
}

async function toggle(target, kind) {
  const known = find(target, kind);
  if (known) await ask("DELETE", `/faults/${known.id}`);
  else await ask("POST", "/faults", { target, kind, times: times ? Number(times) : null });
}

function chip(target, [kind, label, hint]) {
  const known = find(target, kind);
  const left = known?.times ? ` ×${known.times}` : "";
  return h("button.chip", { title: hint, "aria-pressed": String(Boolean(known)), onclick: () => toggle(target, kind) }, label + left);
}

function drawFaults() {
  const pick = h("select", { "aria-label": "几次", onchange: (event) => { times = event.target.value; } },
    ...TIMES.map(([value, label]) => h("option", { value, selected: value === times }, label)));
  $("#faults").replaceChildren(
    h("h2", {}, "出点状况", pick,
      state.faults.length ? h("button.plain", { onclick: () => ask("DELETE", "/faults") }, "全部恢复正常") : ""),
    h("p.label", {}, "系统调用微信时"), h("div.chips", {}, ...CALL_FAULTS.map((fault) => chip("calls", fault))),
    h("p.label", {}, "微信推给系统时"), h("div.chips", {}, ...PUSH_FAULTS.map((fault) => chip("pushes", fault))));
}

const STEPS = [[61, "1 分钟"], [301, "5 分钟"], [7200, "2 小时"], [172801, "48 小时"], [2592001, "30 天"]];

function drawClock() {
  const isMoved = Math.abs(state.offset) > 1;
  $("#clock").replaceChildren(
    h("h2", {}, "时间", isMoved ? h("button.plain", { onclick: () => ask("POST", "/clock", { reset: true }) }, "回到现在") : ""),
    h("p.now", {}, h("b", {}, clockText(now(), { withSeconds: true })), h("span", {}, dayText(now())),
      isMoved && h("span.tag.warn", {}, "已拨动")),
    h("div.chips", {}, ...STEPS.map(([seconds, label]) =>
      h("button.chip", { onclick: () => ask("POST", "/clock", { advance: seconds }) }, `过 ${label}`))));
}

async function verify(one) {
  const result = await ask("POST", `/accounts/${one.app_id}/verify-url`);
  toast(result.ok ? "回调地址好用" : `没有通过：${result.detail}`);
}

async function kill(one) {
  const { killed } = await ask("POST", `/accounts/${one.app_id}/kill-tokens`, {});
  toast(killed ? `${killed} 个令牌已失效，再用会得到 40001` : "现在没有活着的令牌");
}

function freshKey() {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  return [...crypto.getRandomValues(new Uint8Array(43))].map((byte) => letters[byte % letters.length]).join("");
}

async function rotate(one) {
  const key = freshKey();
  await ask("POST", `/accounts/${one.app_id}/rotate-key`, { aes_key: key });
  openDialog("密钥已更换",
    h("p", {}, "把新密钥填到被测的系统里。在您点“改用新密钥”之前，推送仍用旧的。"),
    h("div.paste", {}, h("input", { value: key, readonly: true, "aria-label": "新密钥" }), h("button.go", { onclick: () => copy(key) }, "复制")),
    h("button.wide", { onclick: async () => {
      await ask("POST", `/accounts/${one.app_id}/rotate-key/finish`);
      $("#dialog").close();
      toast("推送改用新密钥了");
    } }, "改用新密钥"));
}

const MODES = { plain: "明文", compatible: "兼容", safe: "安全" };

function drawAccount() {
  const one = account();
  const box = $("#account");
  if (!one) return box.replaceChildren(h("h2", {}, "账号"), h("p.hint", {}, "还没有登记公众号。"));
  const isRotating = one.previous_aes_key && one.old_key_pushes !== 0;
  return box.replaceChildren(
    h("h2", {}, one.name),
    h("p.facts", {}, `${one.app_id}`, h("br"), `${MODES[one.mode]}模式 · ${one.format.toUpperCase()}`,
      isRotating ? h("span.tag.warn", {}, "还在用旧密钥") : ""),
    h("p.facts.url", { title: one.callback_url }, one.callback_url || "没有填回调地址"),
    h("div.chips", {},
      h("button.chip", { onclick: () => verify(one) }, "验证回调"),
      h("button.chip", { onclick: () => kill(one) }, "令牌失效"),
      one.mode !== "plain" && h("button.chip", { onclick: () => rotate(one) }, "换密钥")));
}

function drawPicker() {
  const pick = $("#account-pick");
  pick.closest("label").hidden = state.accounts.length < 2;
  pick.replaceChildren(...state.accounts.map((one) =>
    h("option", { value: one.app_id, selected: one.app_id === state.appId }, one.name)));
}

export function startControls() {
  $("#account-pick").addEventListener("change", (event) => choose({ appId: event.target.value }));
  on("faults", drawFaults);
  on("clock", drawClock);
  on("account", () => { drawAccount(); drawPicker(); });
  on("link", () => {
    $("#link-state").textContent = state.isLive ? "" : "连不上模拟器，正在重连…";
  });
  setInterval(() => {
    const clock = $("#clock .now b");
    if (clock) clock.textContent = clockText(now(), { withSeconds: true });
  }, 1000);
}
