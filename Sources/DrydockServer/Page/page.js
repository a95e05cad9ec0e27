const $ = (id) => document.getElementById(id);
const terminal = new Set(["succeeded", "failed", "errored", "cancelled", "superseded", "timedOut"]);
const longestLog = 5000;
let builds = [], chosen = null, current = null, socket = null, session = null, stream = null, pending = [], attempt = null, frame = 0, retryIn = 500;

const kind = (state) => state === "succeeded" ? "good" : state === "queued" || state === "superseded" || state === "cancelled"
  ? "idle" : terminal.has(state) ? "bad" : "busy";
const word = (state) => state === "timedOut" ? "timed out" : state;

// Escape sequences, control and bidirectional-override characters say nothing here and can mislead.
const clean = (text) => String(text)
  .replace(/\u001b\[[0-9;?:]*[ -\/]*[@-~]/g, "")
  .replace(/\u001b[\]PX^_][^\u0007\u001b]*(\u0007|\u001b\\|$)/g, "")
  .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "");

function node(name, props = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (key === "data") Object.assign(element.dataset, value); else element[key] = value;
  }
  element.append(...children);
  return element;
}

// Requests; a token lives as long as this tab

const token = () => sessionStorage.getItem("drydock-token") || "";

async function ask(path, options = {}) {
  const headers = token() ? { ...options.headers, authorization: "Bearer " + token() } : options.headers;
  const answer = await fetch(path, { ...options, headers });
  if (answer.status === 401) askForToken();
  if (answer.ok) return answer;
  const body = await answer.json().catch(() => ({}));
  const error = new Error(answer.status === 401 ? body.detail : [body.detail || answer.statusText, body.hint].filter(Boolean).join(" — "));
  error.status = answer.status;
  throw error;
}
const api = async (path, options) => (await ask(path, options)).json().catch(() => ({}));

function askForToken() {
  $("key").hidden = false;
  $("empty").hidden = true;
  $("key-text").textContent = token() ? "This server does not know that token. Another one:" : "This server asks for a token:";
}

$("key").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("drydock-token", $("token").value.trim());
  location.reload();
});

// A link can not carry the token: what it leads to is fetched and saved instead.
addEventListener("click", async (event) => {
  const link = event.target.closest?.("a[data-file]");
  if (!link || !token()) return;
  event.preventDefault();
  try {
    const url = URL.createObjectURL(await (await ask(link.href)).blob());
    node("a", { href: url, download: link.dataset.file }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
  } catch (error) { complain(error); }
});

function complain(error) {
  $("toast").textContent = clean(error.message || error);
  $("toast").hidden = false;
  clearTimeout(complain.timer);
  complain.timer = setTimeout(() => { $("toast").hidden = true; }, 8000);
}

function ago(seconds) {
  const age = Math.max(0, Date.now() / 1000 - seconds);
  if (age < 60) return "just now";
  if (age < 3600) return Math.floor(age / 60) + " min";
  if (age < 86400) return Math.floor(age / 3600) + " h";
  return new Date(seconds * 1000).toLocaleDateString();
}
const took = (seconds) => seconds < 60 ? seconds.toFixed(1) + " s" : Math.floor(seconds / 60) + " min " + Math.round(seconds % 60) + " s";

// The list

async function refresh() {
  try {
    builds = (await api("/api/v1/builds?limit=50")).builds;
    // A build too old for the list is asked for by itself, until it has ended.
    const listed = builds.find((build) => build.id === chosen);
    if (listed) current = listed;
    else if (chosen && !terminal.has(current.state)) current = await api("/api/v1/builds/" + chosen);
  } catch (error) { return error.status === 401 ? undefined : complain(error); }
  $("empty").hidden = builds.length > 0;
  const focused = document.activeElement?.dataset?.id;
  $("builds").replaceChildren(...builds.map((build) => node("li", {}, row(build))));
  if (focused) $("builds").querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
  $("sessions").replaceChildren(...[...new Set(builds.map((build) => build.session_id))].map((name) => node("option", { value: name })));
  if (chosen) describe(current);
}

function row(build) {
  const button = node("button", { type: "button", data: { id: build.id } },
    node("span", { className: "dot", data: { kind: kind(build.state) } }),
    node("span", { className: "name", textContent: clean(build.title) }),
    node("span", { className: "when", textContent: ago(build.created_at) }),
    node("span", { className: "sub", textContent: word(build.state) + " · " + clean(build.project) }));
  if (build.id === chosen) button.setAttribute("aria-current", "true");
  button.addEventListener("click", () => choose(build));
  return button;
}

// One build

// Where a link leads: to its build, or to the news that there is none.
async function go(id) {
  try {
    choose(builds.find((build) => build.id === id) || await api("/api/v1/builds/" + encodeURIComponent(id)));
  } catch (error) {
    if (error.status === 401) return;
    if (error.status !== 404) return complain(error);
    stream?.abort();
    chosen = current = null;
    $("build").hidden = true;
    $("welcome").hidden = false;
    $("welcome-title").textContent = "There is no such build";
    $("welcome-text").textContent = clean(id) + " is not on this server: it was removed, or the link belongs to another one. "
      + "Choose a build on the left, or send an archive:";
  }
}

function choose(build) {
  current = build;
  if (chosen !== build.id) {
    chosen = build.id;
    location.hash = build.id;
    $("welcome").hidden = true;
    $("build").hidden = false;
    $("message").textContent = "";
    $("log").replaceChildren();
    $("steps").replaceChildren();
    $("progress").hidden = true;
    $("raw").href = build.urls.logs;
    $("raw").dataset.file = build.id + ".log";
    pending = [];
    attempt = null;
    connect(build.session_id);
    read(build);
  }
  describe(build);
  for (const button of $("builds").querySelectorAll("button")) {
    button.toggleAttribute("aria-current", false);
    if (button.dataset.id === chosen) button.setAttribute("aria-current", "true");
  }
}

function describe(build) {
  const over = terminal.has(build.state);
  $("title").textContent = clean(build.title);
  const parts = [build.id, "session " + clean(build.session_id), new Date(build.created_at * 1000).toLocaleString()];
  if (build.finished_at && build.started_at) parts.push(took(build.finished_at - build.started_at));
  $("meta").textContent = parts.join(" · ");
  $("state").textContent = word(build.state);
  $("state").dataset.kind = kind(build.state);
  $("cancel").hidden = over;
  $("retry").hidden = !over;
  $("brief").hidden = !build.failure;
  $("preview").hidden = !build.urls.preview;
  if (build.urls.preview) $("preview").href = build.urls.preview;
  $("failure").hidden = !build.failure;
  const place = [build.failure?.file, build.failure?.line].filter((part) => part !== undefined).join(":");
  $("failure-title").textContent = build.failure ? clean([place, build.failure.message].filter(Boolean).join(": ")) : "";
  $("failure-hint").textContent = build.failure ? [build.failure.code, clean(build.failure.hint || "")].filter(Boolean).join(" · ") : "";
  explain(build.failure?.details);
  if (over) $("progress").hidden = true;
  if (over) listArtifacts(build); else $("artifacts-box").hidden = true;
}

// What is known about a failure: the project's own text, shown as such.
function explain(details) {
  const { source, command, status, output = [], blocked = [], tests, changes } = details || {};
  const lines = (source?.lines || []).map((text, index) => {
    const number = source.first + index;
    return node(number === source.line ? "strong" : "span", { textContent: `${String(number).padStart(5)}  ${clean(text)}\n` });
  });
  $("failure-source").replaceChildren(...lines);
  $("failure-ran").textContent = [command && "ran " + clean(command), clean(status || "")].filter(Boolean).join(" — ");
  $("failure-output").textContent = output.map(clean).join("\n");
  $("failure-blocked").replaceChildren(...blocked.map((access) => node("li", {
    textContent: clean(`blocked: ${access.what}: ${access.why}${access.allow ? "; to allow it: " + access.allow : ""}`) })));
  const failed = (tests?.failures || []).map((test) => node("li", {
    textContent: clean([[test.file, test.line].filter(Boolean).join(":"), test.name, test.message].filter(Boolean).join(": ")) }));
  $("failure-tests").replaceChildren(...(tests ? [node("li", { textContent: `${tests.failed} of ${tests.total} tests failed` })] : []), ...failed);
  $("failure-changes").textContent = changes ? since(changes) : "";
  const empty = { source: !lines.length, ran: !command, output: !output.length, blocked: !blocked.length, tests: !tests, changes: !changes };
  for (const id in empty) $("failure-" + id).hidden = empty[id];
}

// What is different since the last build of the project that succeeded.
function since({ since: build, commits = [], changed = [], added = [], removed = [], others = [], more = 0, partial }) {
  const quoted = (file) => (/^[\p{L}0-9._/+@=~#-]*$/u.test(file) ? file : `'${clean(file).replaceAll("'", "\\'")}'`);
  const names = (what, files) => (files.length ? [`${what} ${files.map(quoted).join(", ")}`] : []);
  const parts = [...(commits.length === 2 ? [`commit ${commits.map((commit) => commit.slice(0, 12)).join(" → ")}`] : []),
    ...names("changed", changed), ...names("new", added), ...names("removed", removed), ...(more ? [`${more} more`] : []), ...others.map(clean)];
  const same = partial ? "the source has too many files to be compared" : "nothing in the source has changed; look at the machine, the network, or chance";
  return `Since ${build} succeeded: ${parts.join("; ") || same}`;
}

function estimate({ percent, least_s: least, most_s: most, overdue }) {
  $("progress").hidden = terminal.has(current?.state);
  $("bar").value = percent;
  $("percent").textContent = percent + " %";
  const span = (from, to, unit) => (from === to ? "about " + to : from + " to " + to) + " " + unit + " left";
  $("left").textContent = overdue ? "longer than usual" : most === undefined ? ""
    : most < 90 ? span(least, most, "s") : span(Math.floor(least / 60), Math.ceil(most / 60), "min");
}

async function listArtifacts(build) {
  if ($("artifacts-box").dataset.id === build.id) { $("artifacts-box").hidden = !$("artifacts").children.length; return; }
  $("artifacts-box").dataset.id = build.id;
  const { artifacts } = await api(build.urls.artifacts).catch(() => ({ artifacts: [] }));
  if (chosen !== build.id) return;
  $("artifacts").replaceChildren(...artifacts.slice(0, 200).map((file) => node("li", {},
    node("a", { href: file.url, textContent: clean(file.path), data: { file: file.path.split("/").pop() } }), node("span", { textContent: " " + size(file.size) }))));
  $("artifacts-box").hidden = artifacts.length === 0;
}
const size = (bytes) => bytes < 1024 ? bytes + " B" : bytes < 1048576 ? (bytes / 1024).toFixed(1) + " KiB" : (bytes / 1048576).toFixed(1) + " MiB";

// The journal of the chosen build: every line

// Not an EventSource: that one can not send a token.
async function read(build) {
  stream?.abort();
  const mine = stream = new AbortController();
  let last = "", wait = 500;
  while (mine === stream && !mine.signal.aborted) {
    try {
      const headers = { accept: "text/event-stream", ...(last && { "last-event-id": last }) };
      const answer = await ask(build.urls.events, { headers, signal: mine.signal });
      if (answer.status === 204) return;
      let rest = "";
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        wait = 500;
        const events = (rest + part.value).split("\n\n");
        rest = events.pop();
        for (const event of events) {
          const fields = event.split("\n").map((line) => line.match(/^(id|data): ?(.*)$/)).filter(Boolean);
          for (const [, name, value] of fields) if (name === "id") last = value; else take(JSON.parse(value));
        }
      }
      if (terminal.has(current?.state)) return;
    } catch (error) {
      if (mine.signal.aborted || error.status) return;
    }
    await new Promise((again) => setTimeout(again, wait));
    wait = Math.min(wait * 2, 15000);
  }
}

function take(record) {
  if (record.kind === "finished") refresh();
  if (record.kind === "step") step(record);
  if (record.kind === "estimate") return estimate(record);
  // A page that is not looked at does not paint: it keeps what it will show, and no more.
  if (pending.push(record) > 2 * longestLog) pending.splice(0, longestLog);
  frame ||= requestAnimationFrame(paint);
}

function paint() {
  frame = 0;
  const log = $("log"), lines = document.createDocumentFragment();
  const some = pending.splice(0, 2000);
  for (const record of some) {
    if (attempt && record.attempt !== attempt) {
      lines.append(node("div", { className: "stage", textContent: "Another attempt: the worker of the one before was lost" }));
    }
    attempt = record.attempt;
    if (record.kind === "log") lines.append(node("div", { className: record.stream || "out", textContent: clean(record.text) }));
    else if (record.kind === "stage" && record.op === "start") lines.append(node("div", { className: "stage", textContent: clean(record.title || record.stage) }));
    else if (record.kind === "gap") lines.append(node("div", { className: "host", textContent: `… ${record.lines} lines were not kept` }));
    else if (record.kind === "tests") lines.append(node("div", { className: "host", textContent: `${record.total} tests: ${record.failed} failed, ${record.skipped} skipped` }));
    else if (record.kind === "notice") lines.append(node("div", { className: "host", textContent: clean(record.title) }));
    else if (record.kind === "diag") lines.append(diagnostic(record));
  }
  log.append(lines);
  while (log.childElementCount > longestLog) log.firstElementChild.remove();
  if ($("follow").checked) log.scrollTop = log.scrollHeight;
  if (pending.length) frame = requestAnimationFrame(paint);
}

function diagnostic(record) {
  const place = [record.file, record.line, record.column].filter((part) => part !== undefined).join(":");
  const code = record.code ? ` [${record.code}]` : "";
  const text = [place, record.severity + code, record.message].filter(Boolean).join(": ");
  return node("div", { className: "diag", data: { severity: record.severity }, textContent: clean(text) });
}

function step(record) {
  const id = String(record.step);
  let item = [...$("steps").children].find((other) => other.dataset.id === id);
  if (!item) $("steps").append(item = node("li", { data: { id } }));
  const state = record.state === "reused" ? "succeeded" : record.state;
  const dot = state === "running" ? "busy" : state === "pending" || state === "blocked" ? "idle" : kind(state);
  item.replaceChildren(node("span", { className: "dot", data: { kind: dot } }),
    node("span", { textContent: clean(record.title || id) }), node("span", { className: "took", textContent: word(record.state) }));
}

// The session's messages: what happens now

function connect(name) {
  if (session === name && socket) return;
  session = name;
  socket?.close();
  const mine = socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/ws", token() ? ["drydock", "bearer." + token()] : []);
  mine.onopen = () => {
    retryIn = 500;
    status("open", "Live");
    mine.send(JSON.stringify({ type: "INIT", session_id: name }));
  };
  mine.onmessage = (event) => { if (mine === socket) hear(JSON.parse(event.data)); };
  mine.onclose = (event) => {
    if (mine !== socket) return;
    socket = null;
    if (event.code === 4501) return askForToken();
    status("lost", "Connection lost, trying again …");
    setTimeout(() => { if (!socket && session) connect(session); }, retryIn);
    retryIn = Math.min(retryIn * 2, 15000);
  };
}

function hear(message) {
  const data = message.data;
  if (message.type === "BUILD_STARTED") {
    const known = builds.find((build) => build.id === data.build_id);
    if (!known) refresh().then(() => { const build = builds.find((other) => other.id === data.build_id); if (build) choose(build); });
    hear.build = data.build_id;
  } else if (message.type === "build_progress" && hear.build === chosen) {
    $("message").textContent = clean(data.message);
  } else if (message.type === "build_completed" || message.type === "build_error") {
    if (!hear.build || hear.build === chosen) $("message").textContent = clean(data.message || data.error);
    refresh();
  }
}

function status(state, text) {
  $("link").dataset.state = state;
  $("link").textContent = text;
}

// What a person does

async function upload(file) {
  if (!file) return;
  try {
    const query = new URLSearchParams({ session_id: $("into").value.trim() || "page-" + crypto.randomUUID().slice(0, 8), title: file.name });
    const build = await api("/api/v1/builds?" + query, { method: "POST", body: file, headers: { "content-type": "application/octet-stream" } });
    await refresh();
    choose(build);
  } catch (error) { complain(error); }
}

$("file").addEventListener("change", () => { upload($("file").files[0]); $("file").value = ""; });
for (const name of ["dragover", "dragenter"]) $("drop").addEventListener(name, (event) => { event.preventDefault(); $("drop").classList.add("over"); });
for (const name of ["dragleave", "drop"]) $("drop").addEventListener(name, () => $("drop").classList.remove("over"));
$("drop").addEventListener("drop", (event) => { event.preventDefault(); upload(event.dataTransfer.files[0]); });
$("cancel").addEventListener("click", () => api("/api/v1/builds/" + chosen, { method: "DELETE" }).then(refresh, complain));
$("retry").addEventListener("click", () => api(`/api/v1/builds/${chosen}/retry`, { method: "POST" })
  .then(async (build) => { await refresh(); choose(build); }, complain));
$("brief").addEventListener("click", async () => {
  try {
    const text = await (await ask(`/api/v1/builds/${chosen}/failure`)).text();
    // Only pages that came by https or from this machine may write to the clipboard; others show the text, selected.
    if (navigator.clipboard) { await navigator.clipboard.writeText(text); $("message").textContent = "Copied"; return; }
    $("failure-output").textContent = text;
    $("failure-output").hidden = false;
    getSelection().selectAllChildren($("failure-output"));
  } catch (error) { complain(error); }
});
$("log").addEventListener("wheel", (event) => { if (event.deltaY < 0) $("follow").checked = false; }, { passive: true });

$("command").textContent = `tar czf - . | curl -T - -X POST -H 'content-type: application/gzip'${token() ? " -H \"authorization: Bearer $TOKEN\"" : ""} '${location.origin}/api/v1/builds?session_id=me'`;
await refresh();
const link = () => decodeURIComponent(location.hash.slice(1));
const first = builds.find((build) => !terminal.has(build.state)) || builds[0];
if (link()) await go(link()); else if (first) choose(first);
// What keeps builds from being started
async function lookForTrouble() {
  const answer = await fetch("/readyz").catch(() => null);
  const body = answer?.status === 503 ? await answer.json().catch(() => ({})) : {};
  const text = [body.detail, body.hint].filter(Boolean).join(" — ");
  if ($("trouble").textContent !== text) $("trouble").textContent = text;
  $("trouble").hidden = !text;
}
lookForTrouble();
setInterval(() => { if (!document.hidden) lookForTrouble(); }, 15000);
addEventListener("hashchange", () => { if (link() && link() !== chosen) go(link()); });
setInterval(() => { if (!document.hidden && $("key").hidden) refresh(); }, 3000);
