// Calls to the management port. The token lies in sessionStorage: for this tab, until it is closed.
// Not in a cookie: browsers send cookies unasked, and to every port of a host.

const KEPT = "sealane-token";

/** A call that was refused: its status, its code such as INPUT_SHAPE where it has one, and why. */
export class Refused extends Error {
  constructor(status, text) {
    const coded = /^([A-Z][A-Z_]+): ([\s\S]*)$/.exec(text);
    super(coded ? coded[2] : text);
    this.status = status;
    this.code = coded ? coded[1] : "";
  }
}

export function isSignedIn() {
  return sessionStorage.getItem(KEPT) !== null;
}

export function signOut() {
  sessionStorage.removeItem(KEPT);
}

/** Keeps a token if the server takes it; whether it does. */
export async function signIn(token) {
  const answer = await fetch("console/data", asking({}, token));
  if (answer.ok) {
    sessionStorage.setItem(KEPT, token);
  }
  if (!answer.ok && answer.status !== 401) {
    throw await refusal(answer);
  }
  return answer.ok;
}

/** The response of a call; what is not 200 is thrown as Refused. */
export async function call(path, options = {}) {
  const answer = await fetch(path, asking(options, sessionStorage.getItem(KEPT) ?? ""));
  if (!answer.ok) {
    throw await refusal(answer);
  }
  return answer;
}

export async function read(path) {
  return (await call(path)).json();
}

function asking(options, token) {
  return {
    ...options,
    cache: "no-store",
    credentials: "omit",
    redirect: "error",
    headers: { ...options.headers, Authorization: `Bearer ${token}` },
  };
}

async function refusal(answer) {
  const text = await answer.text();
  try {
    return new Refused(answer.status, String(JSON.parse(text).error));
  } catch {
    return new Refused(answer.status, text.slice(0, 500) || answer.statusText);
  }
}

/** The path of a version, below `console/` or `v2/`. */
export function versionPath(model, version) {
  return `models/${encodeURIComponent(model)}/versions/${encodeURIComponent(version)}`;
}
