// What a hostile page tries against both local listeners. Gives what came of each try.
const { control, page, call } = argument;
const tried = {};
const settle = async (name, promise) => {
  const late = new Promise((resolve) => setTimeout(() => resolve("silent"), 1500));
  tried[name] = await Promise.race([promise.then((came) => came ?? "done", (error) => `refused: ${error.name ?? error}`), late]);
};
const send = (url, options) => fetch(url, { credentials: "include", ...options }).then((answer) => `${answer.type} ${answer.status}`);
const once = (target, good, bad) => new Promise((resolve, reject) => {
  target[good] = () => resolve("opened");
  target[bad] = () => reject(new Error("error"));
});
const form = (action) => new Promise((resolve) => {
  const frame = document.body.appendChild(Object.assign(document.createElement("iframe"), { name: `f${Math.random()}` }));
  const form = Object.assign(document.createElement("form"), { action, method: "post", enctype: "text/plain", target: frame.name });
  form.append(Object.assign(document.createElement("input"), { name: '{"to":"Bob","x":"', value: '"}' }));
  document.body.append(form);
  frame.onload = () => resolve("loaded");
  form.submit();
});
const json = { "content-type": "application/json" };
const tries = [];
for (const [door, base] of Object.entries({ control, page })) {
  const all = {
    simple: send(`${base}/v1/calls/${call}/answer`, { method: "POST", mode: "no-cors" }),
    simpleInvite: send(`${base}/v1/invites`, { method: "POST", mode: "no-cors", body: "{}" }),
    preflighted: send(`${base}/v1/invites`, { method: "POST", headers: json, body: "{}" }),
    preflightedDelete: send(`${base}/v1/calls/${call}`, { method: "DELETE" }),
    token: send(`${base}/v1/status`, { headers: { authorization: "Bearer x" } }),
    read: send(`${base}/v1/contacts`, {}),
    readNoCors: send(`${base}/v1/contacts`, { mode: "no-cors" }),
    beacon: Promise.resolve(String(navigator.sendBeacon(`${base}/v1/calls/${call}/decline`))),
    form: form(`${base}/v1/calls/${call}/answer`),
    formInvite: form(`${base}/v1/invites`),
    socket: once(new WebSocket(`${base.replace("http", "ws")}/v1/events`), "onopen", "onerror"),
    events: once(new EventSource(`${base}/v1/events`, { withCredentials: true }), "onopen", "onerror"),
    img: once(Object.assign(new Image(), { src: `${base}/v1/status` }), "onload", "onerror"),
    script: once(document.head.appendChild(Object.assign(document.createElement("script"), { src: `${base}/v1/openapi.json` })), "onload", "onerror"),
  };
  for (const [name, promise] of Object.entries(all)) tries.push(settle(`${door} ${name}`, promise));
}
await Promise.all(tries);
return tried;
