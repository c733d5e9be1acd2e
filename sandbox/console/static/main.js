// The console: people on the left, a phone in the middle, what happens on the right.
import { $ } from "/static/dom.js";
import { startControls } from "/static/controls.js";
import { startLog } from "/static/log.js";
import { startMini } from "/static/mini.js";
import { startPeople } from "/static/people.js";
import { startPhone } from "/static/phone.js";
import { openScan } from "/static/scan.js";
import { startTexts } from "/static/texts.js";
import { listen, load, person } from "/static/store.js";

startPeople();
startPhone();
startMini();
startTexts();
startLog();
startControls();

const wanted = new URLSearchParams(location.search).get("scan");
await load();
listen();
if (!person()) $("#new-name").focus();
if (wanted && person()) openScan(wanted);
