// The pop-up in which a mini-program asks to send messages, and the settings where she takes that back.
import { closeDialog, h, openDialog, toast } from "/static/dom.js";
import { account, act, ask, person, state } from "/static/store.js";

const MOST_ASKED = 3;

const fetchTemplates = async () =>
  (await ask("GET", `/accounts/${encodeURIComponent(state.appId)}/templates?person_id=${state.personId}`)).templates;

function choice(template, isOn) {
  const box = h("input", { type: "checkbox", value: template.template_id, checked: isOn });
  return h("label.consent", {}, box, h("span", {}, h("b", {}, template.title), h("small", {}, example(template))));
}

const example = (template) => (template.example || template.content).trim().replace(/\s*\n\s*/g, "　");

async function answer(form, isAllowed) {
  const boxes = [...form.querySelectorAll("input[type=checkbox][value]:not([name])")];
  const answers = Object.fromEntries(boxes.map((box) => [box.value, isAllowed && box.checked ? "accept" : "reject"]));
  const always = form.elements.always.checked;
  closeDialog();
  await act("mini/subscribe", { answers, always });
  const count = Object.values(answers).filter((one) => one === "accept").length;
  toast(count ? `同意接收 ${count} 种消息各一次` : "没有同意");
}

/** Which of them the page asks for: wx.requestSubscribeMessage takes three at most (20003). */
export async function openPopUp() {
  const templates = await fetchTemplates();
  if (!templates.length) return toast("这个小程序还没有消息模板");
  if (templates.length <= MOST_ASKED) return popUp(templates);
  const boxes = templates.map((template, number) => h("input", { type: "checkbox", checked: number < MOST_ASKED }));
  const chosen = () => templates.filter((_one, number) => boxes[number].checked);
  const go = h("button.go", {}, "弹出");
  const limit = () => {
    const isFull = chosen().length >= MOST_ASKED;
    boxes.forEach((box) => { box.disabled = isFull && !box.checked; });
    go.disabled = !chosen().length;
  };
  const form = h("form.pop-up", { onchange: limit, onsubmit: (event) => { event.preventDefault(); popUp(chosen()); } },
    h("p", {}, `小程序的页面申请哪几种消息？微信一次最多 ${MOST_ASKED} 种`),
    ...templates.map((template, number) => h("label.consent", {}, boxes[number],
      h("span", {}, h("b", {}, template.title), h("small", {}, example(template))))),
    h("div.mini-deeds", {}, go));
  limit();
  return openDialog("订阅消息", form);
}

/** Who ticked "always" for all of them is not asked again. */
async function popUp(templates) {
  closeDialog();
  const settled = templates.filter((one) => one.always);
  if (settled.length === templates.length) {
    await act("mini/subscribe", { answers: Object.fromEntries(settled.map((one) => [one.template_id, one.always])) });
    return toast("选过“总是保持”，没有再问");
  }
  const form = h("form.pop-up", { onsubmit: (event) => { event.preventDefault(); answer(form, true); } },
    h("p", {}, `「${account().name}」申请给${person().name}发送以下消息`),
    ...templates.map((template) => choice(template, template.always !== "reject")),
    h("label.always", {}, h("input", { type: "checkbox", name: "always" }), "总是保持以上选择，不再询问"),
    h("div.mini-deeds", {},
      h("button", { type: "button", onclick: () => answer(form, false) }, "取消"), h("button.go", {}, "允许")));
  return openDialog("订阅消息", form);
}

async function withdraw(template) {
  await act("mini/unsubscribe", { template_id: template.template_id });
  toast(`不再接收「${template.title}」`);
  await openSettings();
}

export async function openSettings() {
  const templates = (await fetchTemplates()).filter((one) => one.consents !== undefined && (one.consents > 0 || one.always));
  const rows = templates.map((template) => h("div.consent", {},
    h("span", {}, h("b", {}, template.title),
      h("small", {}, `${template.type === 3 ? "长期有效" : `还能收到 ${template.consents} 条`}${template.always === "accept" ? "，总是同意" : template.always === "reject" ? "，总是拒绝" : ""}`)),
    h("button.plain", { onclick: () => withdraw(template) }, "不再接收")));
  openDialog(`「${account().name}」的订阅消息`, ...(rows.length ? rows : [h("p", {}, "没有同意接收的消息")]));
}
