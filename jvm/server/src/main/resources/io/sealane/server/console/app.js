// The page: sign-in, the look at the server every two seconds, and which view is shown.

import { refresh } from "./actions.js";
import { Refused, call, isSignedIn, read, signIn, signOut } from "./api.js";
import { h, say } from "./dom.js";
import { plural } from "./format.js";
import { History } from "./history.js";
import { Overview } from "./overview.js";
import { parsed } from "./tensors.js";
import { Version } from "./version.js";

const EVERY = 2000;
const main = document.getElementById("main");
const trouble = document.getElementById("trouble");
const buttons = [document.getElementById("refresh"), document.getElementById("leave")];

let history = new History();
let data = null;
let view = null;
let timer = 0;

/** Looks at the server, shows what it says, and comes again. */
async function look() {
  clearTimeout(timer);
  try {
    const [looked, traffic] = await Promise.all([read("console/data"), call("traffic")]);
    data = { ...looked, traffic: parsed(await traffic.text()).models };
    history.add(data);
    trouble.hidden = true;
    const names = new Set(data.versions.map((each) => each.model)).size;
    say(document.getElementById("server"), `${data.release} · ${data.ready ? "ready" : "not ready"} · ${plural(names, "model")}`);
    view?.update(data, history);
  } catch (error) {
    if (error instanceof Refused && error.status === 401) {
      leave("The token is not taken any more: the server has another.");
      return;
    }
    trouble.hidden = false;
    say(trouble, `The server does not answer (${error.message}). Trying again…`);
  }
  if (isSignedIn() && !document.hidden) {
    timer = setTimeout(look, EVERY);
  }
}

function show() {
  if (!isSignedIn()) {
    main.replaceChildren(signInForm(""));
    main.querySelector("input").focus();
    document.title = "Sign in – Sealane";
    return;
  }
  const [model, version] = location.hash.replace(/^#\/?/, "").split("/").map(decoded);
  view = version ? new Version(model, version) : new Overview(look);
  main.replaceChildren(view.element);
  document.title = `${view.title} – Sealane`;
  if (data) {
    view.update(data, history);
  }
  window.scrollTo(0, 0);
  main.querySelector("h1").focus();
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function signInForm(said) {
  const field = h("input", { type: "password", id: "token", autocomplete: "current-password", required: true, "aria-describedby": "why" });
  const why = h("p", { id: "why", class: "problem", role: "alert" }, said);
  const enter = async (event) => {
    event.preventDefault();
    say(why, "");
    try {
      if (await signIn(field.value.trim())) {
        await enterConsole();
      } else {
        say(why, "The server does not take this token.");
        field.select();
      }
    } catch (error) {
      say(why, `The server does not answer: ${error.message}`);
    }
  };
  return h(
    "form",
    { class: "card signin", onsubmit: enter },
    h("h1", {}, "Sign in"),
    h("label", { for: "token" }, "Management token"),
    field,
    why,
    h("button", { type: "submit", class: "main" }, "Sign in"),
    h("p", { class: "dim" }, "It is the setting management.token; without one the server says at its start in which file it is."),
  );
}

async function enterConsole() {
  buttons.forEach((each) => (each.hidden = false));
  show();
  await look();
}

function leave(said) {
  clearTimeout(timer);
  signOut();
  history = new History();
  data = null;
  view = null;
  trouble.hidden = true;
  say(document.getElementById("server"), "");
  buttons.forEach((each) => (each.hidden = true));
  show();
  say(document.getElementById("why"), said);
}

window.addEventListener("hashchange", show);
window.addEventListener("resize", () => data && view?.update(data, history));
document.addEventListener("visibilitychange", () => !document.hidden && isSignedIn() && look());
document.getElementById("refresh").addEventListener("click", () => refresh(look));
document.getElementById("leave").addEventListener("click", () => leave(""));
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});

if (isSignedIn()) {
  enterConsole();
} else {
  show();
}
