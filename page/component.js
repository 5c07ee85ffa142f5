// What the scripts of all components share: words in the visitor's language, elements, downloads, requests.
const korean = (navigator.language || "").toLowerCase().startsWith("ko");
const t = (text, ...values) => values.reduce((s, v) => s.replace("{}", v), (korean && props.words[text]) || text);
const moodTitle = (name) => t((name[0].toUpperCase() + name.slice(1)).replace("-", " "));
const $ = (selector) => element.querySelector(selector);
const make = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value != null) node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
};
for (const node of element.querySelectorAll("[data-text]")) node.textContent = t(node.dataset.text);
for (const node of element.querySelectorAll("[data-label]")) node.setAttribute("aria-label", t(node.dataset.label));

function download(url, name) {
  const link = make("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}

// Requests to the server and its answers, which carry the number of their request; all components count together.
const asked = new Map(); // what is to be done with the answers, by number
const numbers = (window.colorizationRequests ||= { newest: 0 });

function ask(event, content, answer) {
  const number = ++numbers.newest;
  asked.set(number, answer);
  trigger(event, { request: number, ...content });
  return number;
}

document.addEventListener("colorization-answer", ({ detail }) => {
  if (detail.lost) { // gradio has told the visitor why
    const waiting = [...asked.values()];
    asked.clear();
    for (const answer of waiting) answer({ failed: "", done: true });
    return;
  }
  const answer = asked.get(detail.request);
  if (detail.done !== false) asked.delete(detail.request);
  answer?.(detail);
});
