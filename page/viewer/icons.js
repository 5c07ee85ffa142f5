// Icons, and buttons that show one.
const ICONS = {
  undo: "M4 7h7a4 4 0 1 1 0 8H7M4 7l3-3M4 7l3 3",
  redo: "M14 7H7a4 4 0 1 0 0 8h4M14 7l-3-3M14 7l-3 3",
  add: "M9 3v12M3 9h12",
  point: "M9 2a7 7 0 1 0 0 14A7 7 0 0 0 9 2M9 6v6M6 9h6",
  clear: "M3 5h12M7 5V3h4v2M5 5l1 10h6l1-10",
  eye: "M2 9s2.5-5 7-5 7 5 7 5-2.5 5-7 5-7-5-7-5zM9 7a2 2 0 1 0 0 4 2 2 0 0 0 0-4",
  minus: "M4 9h10",
  full: "M3 7V3h4M11 3h4v4M15 11v4h-4M7 15H3v-4",
};
function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 18 18");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}
function iconButton(name, text, act) {
  return make("button", { type: "button", class: "icon", "aria-label": text, title: text, onclick: act }, icon(name));
}
