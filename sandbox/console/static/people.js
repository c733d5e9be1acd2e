// Left: the people, and what is known about the chosen one.
import { $, avatar, copy, h, toast } from "/static/dom.js";
import { account, ask, choose, on, person, state } from "/static/store.js";

const SHOWN = 200;
let shownFor = null;

const spaced = (phone) => phone.replace(/^(\d{3})(\d{4})(\d{4})$/, "$1 $2 $3");

function follows(one) {
  const state_ = one.follows[state.appId];
  if (state_?.blocked) return h("span.tag.warn", {}, "已拒收");
  if (state_?.subscribe) return h("span.tag.good", {}, "已关注");
  return h("span.tag", {}, "未关注");
}

function row(one) {
  return h(
    "button.row", {
      "aria-current": one.id === state.personId ? "true" : undefined,
      onclick: () => choose({ personId: one.id }),
    },
    avatar(one), h("span.who", {}, h("b", {}, one.name), h("small", {}, spaced(one.phone))),
    account()?.kind === "official" && follows(one),
  );
}

function fact(name, value) {
  if (!value) return null;
  return h("div.fact", {}, h("span", {}, name), h("button.copy", { title: "点一下复制", onclick: () => copy(value) }, value));
}

async function remove(one) {
  if (!confirm(`删掉${one.name}？她的聊天也会一起删掉。`)) return;
  await ask("DELETE", `/people/${one.id}`);
  toast(`${one.name}已删掉`);
}

function toggle(one, field, label, title) {
  return h("label.switch", { title },
    h("span", {}, label),
    h("input", {
      type: "checkbox", role: "switch", checked: one[field],
      onchange: (event) => ask("PATCH", `/people/${one.id}`, { [field]: event.target.checked }),
    }));
}

function card(one) {
  const platform = account()?.open_platform;
  const rename = async (event) => {
    const name = event.target.value.trim();
    if (name && name !== one.name) await ask("PATCH", `/people/${one.id}`, { name });
  };
  return h(
    "div.card", {},
    h("label.fact", {}, h("span", {}, "名字"), h("input", { value: one.name, maxlength: 20, onchange: rename })),
    fact("手机号", one.phone),
    fact("openid", one.openids[state.appId]),
    platform ? fact("unionid", one.unionids[platform]) : h("div.fact", {}, h("span", {}, "unionid"), h("i", {}, "没有绑定开放平台")),
    account()?.kind === "mini_program"
      ? toggle(one, "is_high_risk", "微信认为有风险", "小程序登录会得到 40226")
      : toggle(one, "is_snapshot", "只看快照页", "打开网页授权时给出虚拟身份"),
    h("button.plain.danger", { onclick: () => remove(one) }, "删掉这个人"),
  );
}

function draw() {
  const search = $("#people-search");
  search.hidden = state.people.length <= 8;
  const wanted = search.hidden ? "" : search.value.trim().toLowerCase();
  const found = state.people.filter((one) => `${one.name} ${one.phone}`.toLowerCase().includes(wanted));
  const list = $("#people-list");
  list.replaceChildren(...found.slice(0, SHOWN).map(row));
  if (!state.people.length) list.append(h("p.hint", {}, "还没有人。在上面起个名字，就有了第一位顾客。"));
  else if (!found.length) list.append(h("p.hint", {}, "没有找到，换个名字试试。"));
  else if (found.length > SHOWN) list.append(h("p.hint", {}, `还有 ${found.length - SHOWN} 人，用上面的框来找。`));
  if (shownFor !== state.personId) {
    shownFor = state.personId;
    list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  }
  const one = person();
  if (!$("#person-card").contains(document.activeElement) || !one) {
    $("#person-card").replaceChildren(...(one ? [card(one)] : []));
  }
}

export async function addPerson(name) {
  const one = await ask("POST", "/people", { name });
  if (!state.people.some((known) => known.id === one.id)) state.people.push(one);
  await choose({ personId: one.id });
  return one;
}

export function startPeople() {
  $("#add-person").addEventListener("submit", async (event) => {
    event.preventDefault();
    const input = $("#new-name");
    const name = input.value.trim();
    if (!name) return input.focus();
    input.value = "";
    return addPerson(name);
  });
  $("#people-search").addEventListener("input", draw);
  on("people", draw);
  on("account", draw);
}

