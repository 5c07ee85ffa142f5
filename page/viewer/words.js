// Words in the visitor's language, and a helper that makes elements.
const korean = (navigator.language || "").toLowerCase().startsWith("ko");
const t = (text, ...values) => values.reduce((s, v) => s.replace("{}", v), (korean && props.words[text]) || text);
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

if (korean) document.documentElement.lang = "ko";
for (const node of element.querySelectorAll("[data-text]")) node.textContent = t(node.dataset.text);
