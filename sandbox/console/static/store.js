// What the page knows, kept in step with the server by its event stream.
import { toast } from "/static/dom.js";

export const state = {
  people: [], accounts: [], faults: [], entries: [], chat: [], menu: [], texts: [],
  mini: null, personId: null, appId: null, offset: 0, typingUntil: 0, isLive: false,
};

const listeners = new Map();
const LOG_LENGTH = 500;

export function on(topic, listener) {
  if (!listeners.has(topic)) listeners.set(topic, []);
  listeners.get(topic).push(listener);
}

export function tell(...topics) {
  for (const topic of topics) for (const listener of listeners.get(topic) ?? []) listener();
}

export const now = () => Date.now() / 1000 + state.offset;
export const person = () => state.people.find((one) => one.id === state.personId) ?? null;
export const account = () => state.accounts.find((one) => one.app_id === state.appId) ?? null;
export const tie = () => person()?.follows[state.appId] ?? { subscribe: false, blocked: false };

export async function ask(method, path, body) {
  let answer;
  try {
    answer = await fetch(`/_${path}`, {
      method,
      headers: body ? { "Content-Type": "application/json" } : {},
      body: body ? JSON.stringify(body) : undefined,
    });
  } catch (error) {
    toast("模拟器没有回应，它可能停了");
    throw error;
  }
  const data = await answer.json();
  if (!answer.ok) {
    toast(data.message ?? "没有做成");
    throw new Error(data.error);
  }
  return data;
}

/** Let the chosen person do something; the chat and the log show what follows. */
export const act = (name, body = {}) =>
  ask("POST", `/people/${state.personId}/${name}`, { app_id: state.appId, wait: false, ...body });

function remember() {
  const query = new URLSearchParams();
  if (state.personId) query.set("person", state.personId);
  if (state.appId) query.set("app_id", state.appId);
  history.replaceState(null, "", query.size ? `/?${query}` : "/");
}

async function loadChat() {
  state.chat = [];
  state.menu = [];
  state.mini = null;
  state.typingUntil = 0;
  const [personId, appId] = [state.personId, state.appId];
  if (!personId || !appId) return tell("chat");
  const data = await ask("GET", `/people/${personId}/chat?app_id=${encodeURIComponent(appId)}`);
  if (personId !== state.personId || appId !== state.appId) return undefined;
  state.chat = data.bubbles;
  state.menu = data.menu?.button ?? [];
  state.mini = data.mini ?? null;
  state.typingUntil = data.typing_s ? now() + data.typing_s : 0;
  return tell("chat", "mini");
}

/** Her menu may have become another one, because the account's changed or her tags did. */
async function loadMenu() {
  const [personId, appId] = [state.personId, state.appId];
  if (!personId || !appId) return;
  const data = await ask("GET", `/people/${personId}/chat?app_id=${encodeURIComponent(appId)}`);
  if (personId === state.personId && appId === state.appId) state.menu = data.menu?.button ?? [];
}

export async function choose({ personId = state.personId, appId = state.appId }) {
  Object.assign(state, { personId, appId });
  remember();
  tell("people", "account");
  await loadChat();
}

const pushEntry = (push) => ({ ...push, type: "push", key: `p${push.id}`, moment: push.created_at });
const callEntry = (call) => ({ ...call, type: "call", key: `c${call.id}`, moment: call.at });

export async function load() {
  const [people, accounts, faults, clock, pushes, calls] = await Promise.all([
    ask("GET", "/people"), ask("GET", "/accounts"), ask("GET", "/faults"), ask("GET", "/clock"),
    ask("GET", "/pushes?limit=100"), ask("GET", "/calls?limit=100"),
  ]);
  state.people = people.people;
  state.texts = (await ask("GET", "/texts")).texts;
  state.accounts = accounts.accounts;
  state.faults = faults.faults;
  state.offset = clock.offset;
  const entries = [...pushes.pushes.map(pushEntry), ...calls.calls.map(callEntry)];
  state.entries = entries.sort((a, b) => a.moment - b.moment);
  const query = new URLSearchParams(location.search);
  const wantedPerson = state.personId ?? query.get("person");
  const wantedApp = state.appId ?? query.get("app_id");
  const app = state.accounts.find((one) => one.app_id === wantedApp)
    ?? state.accounts.find((one) => one.kind === "official") ?? state.accounts[0];
  const someone = state.people.find((one) => one.id === wantedPerson) ?? state.people[0];
  await choose({ personId: someone?.id ?? null, appId: app?.app_id ?? null });
  tell("log", "faults", "clock", "texts");
}

function upsert(list, item, key) {
  const index = list.findIndex((one) => one[key] === item[key]);
  if (index < 0) list.push(item);
  else list[index] = item;
}

const handlers = {
  async person(data) {
    upsert(state.people, data, "id");
    if (data.id === state.personId) await loadMenu();
    tell("people");
  },
  "person-gone"({ id }) {
    state.people = state.people.filter((one) => one.id !== id);
    if (state.personId === id) choose({ personId: state.people[0]?.id ?? null });
    else tell("people");
  },
  async accounts() {
    state.accounts = (await ask("GET", "/accounts")).accounts;
    if (!account()) await load();
    else {
      await loadMenu();
      tell("account", "people");
    }
  },
  chat({ person_id, app_id, bubble }) {
    if (person_id !== state.personId || app_id !== state.appId) return;
    if (state.chat.some((one) => one.id === bubble.id)) return;
    state.chat.push(bubble);
    if (bubble.side === "account") state.typingUntil = 0;
    tell("chat");
  },
  mini({ person_id, app_id, mini }) {
    if (person_id !== state.personId || app_id !== state.appId) return;
    state.mini = mini;
    tell("mini");
  },
  text(data) { upsert(state.texts, data, "biz_id"); tell("texts"); },
  typing({ person_id, app_id, seconds }) {
    if (person_id !== state.personId || app_id !== state.appId) return;
    state.typingUntil = seconds ? now() + seconds : 0;
    tell("chat");
  },
  push(data) { upsert(state.entries, pushEntry(data), "key"); trim(); },
  call(data) { upsert(state.entries, callEntry(data), "key"); trim(); },
  faults(data) { state.faults = data; tell("faults"); },
  clock({ offset }) { state.offset = offset; tell("clock", "chat"); },
  codes() { tell("codes"); },
  reload() { load(); },
};

function trim() {
  state.entries.splice(0, Math.max(0, state.entries.length - LOG_LENGTH));
  tell("log");
}

export function listen() {
  const stream = new EventSource("/_/stream");
  let wasLost = false;
  stream.addEventListener("open", () => {
    state.isLive = true;
    tell("link");
    if (wasLost) load();
    else tell("codes"); // one made before the stream stood would be missed in an open dialog
    wasLost = false;
  });
  stream.addEventListener("error", () => {
    state.isLive = false;
    wasLost = true;
    tell("link");
  });
  for (const [kind, handle] of Object.entries(handlers)) {
    stream.addEventListener(kind, (event) => handle(JSON.parse(event.data)));
  }
}
