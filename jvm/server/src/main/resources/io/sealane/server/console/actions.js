// What changes the server: loading, unloading and refreshing the repository. Each asks before it acts.

import { call } from "./api.js";
import { h, say } from "./dom.js";

/** Asks a question; resolves to whether the answer was yes. */
function confirmed(question, consequence, yes) {
  return new Promise((resolve) => {
    const form = h(
      "form",
      { method: "dialog" },
      h("h2", { id: "question" }, question),
      h("p", {}, consequence),
      h(
        "div",
        { class: "buttons" },
        h("button", { value: "yes", class: "main" }, yes),
        h("button", { value: "no", autofocus: true }, "Cancel"),
      ),
    );
    const dialog = h("dialog", { "aria-labelledby": "question" }, form);
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

async function act(path, doing, done, after) {
  const told = document.getElementById("told");
  told.className = "told shown";
  say(told, doing);
  try {
    await call(path, { method: "POST" });
    say(told, done);
  } catch (error) {
    told.className = "told shown bad";
    say(told, `${error.code ? `${error.code}: ` : ""}${error.message}`);
  }
  const said = told.textContent;
  setTimeout(() => told.textContent === said && (told.className = "told"), 8000);
  await after();
}

export async function load(model, after) {
  const why = "What lies in its folder is verified and replayed, and then takes the place of what answers now.";
  if (await confirmed(`Load ${model}?`, why, "Load")) {
    const path = `v2/repository/models/${encodeURIComponent(model)}/load`;
    await act(path, `Loading ${model}…`, `${model} is loaded`, after);
  }
}

export async function unload(model, after) {
  const why = "Requests for it are refused from then on, until it is loaded again.";
  if (await confirmed(`Unload ${model}?`, why, "Unload")) {
    const path = `v2/repository/models/${encodeURIComponent(model)}/unload`;
    await act(path, `Unloading ${model}…`, `${model} is unloaded`, after);
  }
}

export async function refresh(after) {
  const why = "New and changed versions are loaded, those that are gone are unloaded.";
  if (await confirmed("Refresh the repository?", why, "Refresh")) {
    await act("console/refresh", "Refreshing the repository…", "The repository is refreshed", after);
  }
}
