// Right: everything that came in and went out, newest on top.
import { $, clockText, h } from "/static/dom.js";
import { ask, on, state, tell } from "/static/store.js";

const PATHS = {
  "/cgi-bin/stable_token": "取稳定令牌",
  "/cgi-bin/token": "取令牌",
  "/cgi-bin/qrcode/create": "生成二维码",
  "/cgi-bin/showqrcode": "看二维码图",
  "/cgi-bin/message/custom/send": "发客服消息",
  "/cgi-bin/message/template/send": "发模板消息",
  "/cgi-bin/message/mass/sendall": "群发",
  "/cgi-bin/message/mass/send": "群发给名单",
  "/cgi-bin/message/mass/preview": "预览群发",
  "/cgi-bin/message/mass/get": "查群发的状态",
  "/cgi-bin/message/mass/delete": "删除群发的图文",
  "/cgi-bin/draft/batchget": "读草稿箱",
  "/cgi-bin/message/subscribe/send": "发订阅消息",
  "/cgi-bin/template/get_all_private_template": "读模板",
  "/wxaapi/newtmpl/gettemplate": "读模板",
  "/cgi-bin/message/custom/typing": "正在输入",
  "/cgi-bin/user/info": "查粉丝",
  "/cgi-bin/user/info/batchget": "批量查粉丝",
  "/cgi-bin/user/get": "粉丝列表",
  "/cgi-bin/user/info/updateremark": "改备注",
  "/cgi-bin/ticket/getticket": "取网页票据",
  "/cgi-bin/media/upload": "传素材",
  "/cgi-bin/media/get": "取素材",
  "/cgi-bin/menu/create": "建菜单",
  "/cgi-bin/menu/get": "读菜单",
  "/cgi-bin/menu/delete": "删菜单",
  "/cgi-bin/menu/addconditional": "加个性化菜单",
  "/cgi-bin/menu/delconditional": "删个性化菜单",
  "/cgi-bin/menu/trymatch": "看她的菜单",
  "/cgi-bin/get_current_selfmenu_info": "读现用菜单",
  "/cgi-bin/clear_quota": "清零用量",
  "/cgi-bin/openapi/quota/get": "读用量",
  "/sns/oauth2/access_token": "网页授权换身份",
  "/sns/userinfo": "取昵称头像",
  "/sns/jscode2session": "小程序登录",
  "/wxa/business/getuserphonenumber": "换手机号",
  "/wxa/checksession": "查登录态",
  "/wxa/business/checkencryptedmsg": "查加密数据",
  "/wxa/getwxacodeunlimit": "画小程序码",
  "/sms/SendSms": "发短信",
  "/sms/DescribeSmsTemplateList": "查短信模板",
  "/sms/DescribeSmsSignList": "查短信签名",
  "/sms/PullSmsSendStatus": "拉短信回执",
  "/sms/PullSmsReplyStatus": "拉短信回复",
};
const EVENTS = {
  subscribe: "关注", unsubscribe: "取消关注", SCAN: "扫码", CLICK: "点菜单", VIEW: "点菜单看网页", TEMPLATESENDJOBFINISH: "模板消息的结果",
  MASSSENDJOBFINISH: "群发的结果",
  subscribe_msg_popup_event: "订阅弹窗", subscribe_msg_change_event: "改订阅设置", subscribe_msg_sent_event: "订阅消息的结果", text: "来消息",
};
const FILTERS = [["all", "全部"], ["push", "推送"], ["call", "调用"], ["bad", "出错"]];
const SHOWN = 200;
let filter = "all";
const open = new Set();

const isBad = (entry) =>
  entry.type === "push" ? ["failed", "lost"].includes(entry.status) || entry.attempts.some((one) => one.error) : entry.errcode !== 0 || entry.status !== 200;

const PUSH_STATES = { delivered: "已送达", failed: "没送到", pending: "在路上", held: "扣住了", lost: "丢了" };

function pushState(push) {
  const tries = push.attempts.length > 1 ? ` ${push.attempts.length}次` : "";
  const kind = { delivered: "good", failed: "bad", lost: "bad", held: "warn", pending: "" }[push.status];
  return h(`span.tag.${kind || "none"}`, {}, PUSH_STATES[push.status] + tries);
}

function callState(call) {
  if (call.status === 0) return h("span.tag.bad", {}, "断线");
  if (call.status !== 200) return h("span.tag.bad", {}, String(call.status));
  return call.errcode ? h("span.tag.bad", {}, String(call.errcode)) : h("span.tag.good", {}, "好");
}

function summary(entry) {
  if (entry.type === "call") return entry.summary || (entry.errcode ? entry.errmsg.replace(/ rid:.*/, "") : "");
  const key = entry.fields.Content ?? entry.fields.EventKey ?? "";
  return [entry.person_name, key].filter(Boolean).join(" · ");
}

function latency(entry) {
  const value = entry.type === "call" ? entry.latency_ms : entry.attempts.at(-1)?.latency_ms;
  return value === undefined ? "" : `${value} ms`;
}

function toggle(entry) {
  if (open.has(entry.key)) open.delete(entry.key);
  else open.add(entry.key);
  draw();
}

function details(entry) {
  const { type, key, moment, ...data } = entry;
  return h("pre", {}, JSON.stringify(data, null, 2));
}

function row(entry) {
  const isPush = entry.type === "push";
  const name = isPush ? EVENTS[entry.event] ?? entry.event : PATHS[entry.path] ?? entry.path;
  const code = isPush ? entry.event : entry.path;
  return h(`li.${entry.type}`, {},
    h("button.entry", { "aria-expanded": String(open.has(entry.key)), onclick: () => toggle(entry) },
      h("time", {}, clockText(entry.moment, { withSeconds: true })),
      h("span.way", { title: isPush ? "微信推给系统" : "系统调用微信" }, isPush ? "推送" : "调用"),
      h("b", { title: code }, name), h("span.sum", {}, summary(entry)),
      entry.fault ? h("span.tag.warn", {}, "设定的状况") : "",
      isPush ? pushState(entry) : callState(entry), h("span.ms", {}, latency(entry))),
    open.has(entry.key) && details(entry));
}

function held() {
  const count = state.entries.filter((entry) => entry.status === "held").length;
  if (!count) return [];
  const release = (order) => ask("POST", "/pushes/release", { order, wait: false });
  return [h("div.held", {}, h("span", {}, `扣住了 ${count} 条推送`),
    h("button", { onclick: () => release("forward") }, "按顺序放出"),
    h("button", { onclick: () => release("reverse") }, "倒着放出"))];
}

function chips() {
  $("#log-filter").replaceChildren(...FILTERS.map(([name, label]) =>
    h("button.chip", { "aria-pressed": String(filter === name), onclick: () => { filter = name; draw(); } }, label)));
}

function draw() {
  chips();
  $("#held").replaceChildren(...held());
  const kept = state.entries.filter((entry) =>
    filter === "all" || entry.type === filter || (filter === "bad" && isBad(entry)));
  const rows = kept.slice(-SHOWN).reverse().map(row);
  if (!rows.length) rows.push(h("li.hint", {}, filter === "bad" ? "没有出错。" : "还没有动静。让左边的人做点什么，这里会一条条出来。"));
  $("#log").replaceChildren(...rows);
}

let isDue = false;
function drawSoon() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => { isDue = false; draw(); });
}

export function startLog() {
  $("#log-clear").addEventListener("click", () => {
    state.entries.length = 0;
    tell("log");
  });
  on("log", drawSoon);
}
