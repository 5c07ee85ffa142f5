// Comparison viewer: slider, grid, single and blind vote over the versions of one photograph, zoomed and panned in step.
// gradio runs this once, as the body of a function of (element, trigger, props, server, upload, watch).
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
const MODES = { slider: "Slider", grid: "Grid", single: "Single", blind: "Blind vote" };
const LETTERS = "ABCDEF";
let mode = "slider", left = "input", right = "", single = "", errors = false, divider = 50;
let view = { zoom: 1, x: 0.5, y: 0.5 }; // zoom 1 fits; x and y are the picture's point in the middle of each frame
let shuffled = [], kept = "", photograph = "";
let details = {}, wanted = new Set(); // full-size and error pictures by kind and name, of the version that is shown
let panes = [];
const pointers = new Map();
let pinch = null, dragging = "";

if (korean) document.documentElement.lang = "ko";
for (const node of element.querySelectorAll("[data-text]")) node.textContent = t(node.dataset.text);

const value = () => props.value || {};
const pictures = () => value().pictures || [];
const results = () => pictures().filter((p) => p.result);
const find = (name) => pictures().find((p) => p.name === name);
const title = (p) => (p.result ? p.title : t(p.title));
const ready = () => pictures().length > 0 && !value().doing;

// ------------------------------------------------------------------ what is shown

function chosen() {
  const last = results().at(-1);
  if (mode === "blind") return shuffled.map(find).filter(Boolean);
  if (mode === "grid") return pictures();
  if (mode === "single") return [find(single) || last || pictures()[0]];
  const before = find(left) || pictures()[0];
  const after = find(right) || last;
  return after ? [before, after] : [before];
}

function source(p) {
  if (errors && p.result && mode !== "blind") return details[`error ${p.name}`] || details[`full ${p.name}`] || p.file;
  return details[`full ${p.name}`] || p.file;
}

function image(p, alt) {
  return make("img", { src: source(p).url, alt, draggable: "false" });
}

function alt(p) {
  if (!p.result) return t(p.title === "Original" ? "{}, the original" : "{}, the black-and-white input", value().stem);
  return t(errors ? "Error of {}, colored by {}" : "{}, colored by {}", value().stem, p.title);
}

function draw() {
  const shown = chosen().filter(Boolean);
  const stage = $(".stage");
  const hadHandle = stage.contains(document.activeElement) && document.activeElement.classList.contains("handle");
  panes = [];
  stage.replaceChildren();
  if (mode === "slider" && shown.length === 2) {
    const frame = make("div", { class: "frame" });
    const images = shown.map((p) => image(p, alt(p)));
    const handle = make("div", {
      class: "handle", role: "slider", tabindex: "0", "aria-label": t("Divider between the two pictures"),
      "aria-valuemin": "0", "aria-valuemax": "100", "aria-orientation": "horizontal", onkeydown: moveDivider,
    });
    const names = shown.map((p) => make("span", { class: "name" }, title(p)));
    frame.append(...images, ...names, handle);
    stage.append(make("figure", { class: "pane" }, frame));
    panes.push({ frame, images, names, handle, pictures: shown });
    if (hadHandle) handle.focus();
  } else {
    shown.forEach((p, index) => {
      const hidden = mode === "blind" && !kept;
      const name = hidden ? LETTERS[index] : title(p);
      const images = [image(p, hidden ? t("Result {}", name) : alt(p))];
      const names = [make("span", { class: "name" }, name)];
      const frame = make("div", { class: "frame" }, ...images, ...names);
      const pane = make("figure", { class: "pane" }, frame);
      if (hidden) pane.append(make("button", { class: "keep", type: "button", onclick: () => vote(p.name) }, t("Keep {}", name)));
      stage.append(pane);
      panes.push({ frame, images, names, pictures: [p] });
    });
  }
  stage.setAttribute("aria-label", t("Pictures: + and - zoom, arrow keys move, 0 fits, 1 shows actual pixels"));
  resize();
}

// ------------------------------------------------------------------ sizes, zoom and pan

// How many pictures stand in a row: as large as they can be, but a little smaller rather than with an empty place.
// `keep` is the height of what is under each picture.
function columns(count, width, height, keep) {
  const [w, h] = value().size;
  let best = 1, most = 0;
  for (let n = 1; n <= count; n++) {
    const rows = Math.ceil(count / n);
    const worth = Math.min(width / n / w, (height / rows - keep) / h) * Math.sqrt(count / (n * rows));
    if (worth > most * 1.001) [best, most] = [n, worth];
  }
  return best;
}

function resize() {
  const stage = $(".stage"), width = stage.clientWidth;
  if (!width || !pictures().length) return;
  const [w, h] = value().size;
  const full = document.fullscreenElement && document.fullscreenElement.contains(element);
  const top = element.getBoundingClientRect().top + window.scrollY;
  const narrow = window.innerWidth <= 640;
  const keep = mode === "blind" && !kept ? 40 : 0; // the buttons under each picture
  const available = narrow ? window.innerHeight * 0.75 : Math.max(320, window.innerHeight - (full ? 0 : Math.min(top, 160)) - 140);
  const count = panes.length;
  const n = count > 1 ? columns(count, width, available, keep) : 1;
  const rows = Math.ceil(count / n);
  const height = Math.min(available, rows * (((width / n) * h) / w + keep) + (rows - 1) * 4);
  const cell = (height - (rows - 1) * 4) / rows - keep;
  stage.style.gridTemplateColumns = count > 1 ? `repeat(${n}, ${Math.floor(Math.min((width - (n - 1) * 4) / n, (cell * w) / h))}px)` : "100%";
  stage.style.gridAutoRows = "minmax(0, 1fr)";
  stage.style.height = `${Math.round(Math.max(height, 120))}px`;
  place();
}

function scales() {
  const [w, h] = value().size, frame = panes[0].frame;
  const fit = Math.min(frame.clientWidth / w, frame.clientHeight / h); // CSS pixels per picture pixel
  return { w, h, fit, actual: 1 / (fit * window.devicePixelRatio) };
}

function place() {
  if (!panes.length || !panes[0].frame.clientWidth) return;
  const { w, h, fit, actual } = scales();
  const shown = fit * view.zoom;
  const clamp = (center, length, room) => {
    const half = room / 2 / (length * shown);
    return half >= 0.5 ? 0.5 : Math.min(1 - half, Math.max(half, center));
  };
  for (const pane of panes) {
    const W = pane.frame.clientWidth, H = pane.frame.clientHeight;
    view.x = clamp(view.x, w, W);
    view.y = clamp(view.y, h, H);
    const x = W / 2 - view.x * w * shown, y = H / 2 - view.y * h * shown;
    for (const img of pane.images) {
      img.style.width = `${w * shown}px`;
      img.style.height = `${h * shown}px`;
      img.style.transform = `translate(${x}px, ${y}px)`;
      img.style.imageRendering = shown * window.devicePixelRatio >= 3 ? "pixelated" : "auto";
    }
    pane.names.forEach((name, index) => { // inside the picture, at its lower corners
      name.style.bottom = `${Math.max(8, H - y - h * shown + 8)}px`;
      name.style[index ? "right" : "left"] = `${Math.max(8, index ? W - x - w * shown + 8 : x + 8)}px`;
    });
    if (pane.handle) {
      const at = (divider / 100) * W;
      pane.images[1].style.clipPath = `inset(0 0 0 ${Math.min(Math.max(at - x, 0), w * shown)}px)`;
      pane.handle.style.left = `${at}px`;
      pane.handle.setAttribute("aria-valuenow", Math.round(divider));
      pane.handle.setAttribute("aria-valuetext", t("{} of 100 shows {}", Math.round(divider), title(pane.pictures[0])));
    }
  }
  const zoomed = view.zoom > 1.001;
  $(".stage").classList.toggle("zoomed", zoomed);
  $(".zoom output").textContent = `${Math.round((100 * view.zoom) / actual)} %`;
  for (const p of chosen().filter(Boolean)) if (!p.whole && (w * shown * window.devicePixelRatio) > 1.3 * p.width) want("full", p.name);
}

function zoomTo(zoom, pane = panes[0], px = null, py = null) {
  if (!pane) return;
  const { w, h, fit, actual } = scales();
  const next = Math.min(Math.max(zoom, Math.min(1, actual)), Math.max(8, 8 * actual));
  if (px != null) { // the point under the pointer stays there
    const box = pane.frame.getBoundingClientRect();
    const dx = px - box.left - box.width / 2, dy = py - box.top - box.height / 2;
    view.x += dx / (w * fit) * (1 / view.zoom - 1 / next);
    view.y += dy / (h * fit) * (1 / view.zoom - 1 / next);
  }
  view.zoom = next;
  place();
}

const paneAt = (event) => panes.find((p) => p.frame.contains(event.target)) || panes[0];

function actualSize(event) {
  const { actual } = scales();
  const there = Math.abs(view.zoom - actual) < 0.01 * actual;
  event ? zoomTo(there ? 1 : actual, paneAt(event), event.clientX, event.clientY) : zoomTo(there ? 1 : actual);
}

function pan(dx, dy) {
  const { w, h, fit } = scales();
  view.x -= dx / (w * fit * view.zoom);
  view.y -= dy / (h * fit * view.zoom);
  place();
}

function setDivider(percent) {
  divider = Math.min(100, Math.max(0, percent));
  place();
}

function moveDivider(event) {
  const step = event.shiftKey ? 10 : 2;
  const to = { ArrowLeft: divider - step, ArrowDown: divider - step, ArrowRight: divider + step, ArrowUp: divider + step, Home: 0, End: 100 };
  if (!(event.key in to)) return;
  event.preventDefault();
  event.stopPropagation();
  setDivider(to[event.key]);
}

const stage = $(".stage");
stage.addEventListener("wheel", (event) => {
  if (!panes.length || (event.deltaY > 0 && view.zoom <= 1)) return; // the page scrolls on
  event.preventDefault();
  zoomTo(Math.max(1, view.zoom * Math.exp(-event.deltaY / (event.ctrlKey ? 100 : 400))), paneAt(event), event.clientX, event.clientY);
}, { passive: false });
stage.addEventListener("dblclick", (event) => { if (!event.target.closest("button")) actualSize(event); });
stage.addEventListener("keydown", (event) => {
  if (event.target.closest("button") || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = {
    "+": () => zoomTo(view.zoom * 1.25), "=": () => zoomTo(view.zoom * 1.25), "-": () => zoomTo(view.zoom / 1.25),
    0: () => zoomTo(1), 1: () => actualSize(),
    ArrowLeft: () => pan(60, 0), ArrowRight: () => pan(-60, 0), ArrowUp: () => pan(0, 60), ArrowDown: () => pan(0, -60),
  }[event.key];
  if (!act || (event.key.startsWith("Arrow") && view.zoom <= 1)) return;
  event.preventDefault();
  act();
});
const dividerAt = (event) => {
  const box = panes[0].frame.getBoundingClientRect();
  setDivider((100 * (event.clientX - box.left)) / box.width);
};
stage.addEventListener("pointerdown", (event) => {
  if (event.target.closest("button") || event.button > 0 || !panes.length) return;
  pointers.set(event.pointerId, event);
  stage.setPointerCapture(event.pointerId);
  const onHandle = event.target.closest(".handle");
  dragging = onHandle || (panes[0].handle && view.zoom <= 1.001 && event.pointerType === "mouse") ? "divider" : "pan";
  if (dragging === "divider" && !onHandle) dividerAt(event);
});
stage.addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) return;
  pointers.set(event.pointerId, event);
  if (pointers.size === 2) {
    const [a, b] = [...pointers.values()];
    const apart = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
    if (pinch) zoomTo(Math.max(1, (view.zoom * apart) / pinch), paneAt(a), (a.clientX + b.clientX) / 2, (a.clientY + b.clientY) / 2);
    pinch = apart;
  } else if (dragging === "divider") dividerAt(event);
  else pan(event.clientX - before.clientX, event.clientY - before.clientY);
});
for (const type of ["pointerup", "pointercancel"]) stage.addEventListener(type, (event) => {
  pointers.delete(event.pointerId);
  pinch = null;
});
new ResizeObserver(resize).observe($(".shown"));
window.addEventListener("resize", resize);
document.addEventListener("fullscreenchange", () => setTimeout(resize, 50));

// ------------------------------------------------------------------ controls

function segments(fieldset, legend, options, current, choose) {
  const group = `${legend}-${element.id}`;
  fieldset.replaceChildren(make("legend", {}, legend));
  for (const [key, text] of options) {
    const input = make("input", { type: "radio", name: group, value: key, checked: key === current, onchange: () => choose(key) });
    fieldset.append(make("label", { class: "segment" }, input, make("span", {}, text)));
  }
}

function select(text, options, current, choose) {
  const node = make("select", { onchange: () => choose(node.value) });
  for (const p of options) node.append(make("option", { value: p.name, selected: p.name === current }, title(p)));
  return make("label", {}, text, node);
}

function controls() {
  const modes = Object.entries(MODES).filter(([key]) => key !== "blind" || (ready() && results().length > 1));
  segments($(".modes"), t("View"), modes.map(([key, text]) => [key, t(text)]), mode, (key) => {
    mode = key;
    refresh();
    $(`.modes input[value=${key}]`).focus();
  });
  const picks = $(".picks");
  picks.replaceChildren();
  if (mode === "slider" && pictures().length > 1) {
    const [a, b] = chosen();
    picks.append(
      select(t("Left"), pictures(), a.name, (name) => { left = name; draw(); }),
      select(t("Right"), pictures(), b && b.name, (name) => { right = name; draw(); }),
    );
  } else if (mode === "single") {
    const names = make("fieldset", { class: "names" });
    segments(names, t("Picture"), pictures().map((p) => [p.name, title(p)]), chosen()[0].name, (name) => { single = name; draw(); });
    picks.append(names);
  } else if (mode === "blind") {
    picks.append(make("span", {}, kept ? t("You kept {}.", find(kept)?.title) : t("Which would you keep?")));
  }
  if (value().color && mode !== "blind") {
    const box = make("input", { type: "checkbox", checked: errors, onchange: () => { errors = box.checked; draw(); wantErrors(); } });
    picks.append(make("label", { title: t("Where and how far each result is from the original: black is exact, white is 64 levels or more") }, box, t("Show error")));
  }
}

function once() {
  const button = (text, name, act) => make("button", { type: "button", "aria-label": name, title: name, onclick: act }, text);
  const zoom = $(".zoom");
  zoom.append(
    button("\u2212", t("Zoom out"), () => zoomTo(view.zoom / 1.5)), make("output", {}),
    button("+", t("Zoom in"), () => zoomTo(view.zoom * 1.5)),
    button("1:1", t("Actual pixels"), () => { const { actual } = scales(); zoomTo(actual); }),
    button(t("Fit"), t("Fit the whole picture"), () => zoomTo(1)),
  );
  if (!document.fullscreenEnabled) return;
  const full = button("", t("Full screen"), () => document.fullscreenElement ? document.exitFullscreen() : element.requestFullscreen());
  full.innerHTML = '<svg width="16" height="16" fill="none" stroke="currentColor" stroke-width="2" aria-hidden="true">' +
    '<path d="M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4"/></svg>';
  zoom.append(full);
}

function downloads() {
  const row = $(".downloads");
  row.replaceChildren();
  if (!ready() || !results().length || (mode === "blind" && !kept)) return;
  const [w, h] = value().size;
  row.append(make("span", {}, t("Download, {} x {} px:", w, h)));
  for (const [name, text] of [...results().map((p) => [p.name, p.title]), ["zip", t("All with a sheet (zip)")]]) {
    const button = make("button", { type: "button", "data-download": name, onclick: () => {
      button.disabled = true;
      setTimeout(() => { button.disabled = false; }, 60000);
      trigger("download", { name });
    } }, text);
    row.append(button);
  }
}

function status() {
  const { doing, done, of, notes = [], times = [] } = value();
  const bar = $(".progress");
  bar.classList.toggle("idle", !doing && !wanted.size);
  bar.firstElementChild.style.width = doing ? `${(100 * (done + 0.5)) / of}%` : "100%";
  const texts = [...notes];
  if (doing) texts.unshift(t("Coloring with {} ({} of {}) ...", doing, done + 1, of));
  else if (wanted.size) texts.unshift(t("Loading full resolution ..."));
  else if (times.length && (mode !== "blind" || kept)) texts.push(times.map(([name, seconds]) => `${name} ${seconds.toFixed(2)} s`).join(", "));
  texts.push(...(value().failed || []));
  $(".status").textContent = texts.join(" ");
}

// ------------------------------------------------------------------ the server

function want(kind, name) {
  const key = `${kind} ${name}`;
  if (!ready() || details[key] || wanted.has(key)) return;
  wanted.add(key);
  status();
  clearTimeout(want.timer); // gather what is wanted, and ask once one has stopped moving
  want.timer = setTimeout(() => trigger("want", { id: value().id, keys: [...wanted] }), 150);
}

function wantErrors() {
  if (errors) for (const p of results()) want("error", p.name);
}

function vote(name) {
  kept = name;
  trigger("vote", { kept: name, shown: shuffled });
  refresh();
}

document.addEventListener("colorization-answer", ({ detail }) => {
  if (detail.id !== value().id) return;
  for (const [key, file] of Object.entries(detail.details || {})) {
    details[key] = file;
    wanted.delete(key);
    const preload = new Image();
    preload.src = file.url;
    preload.decode().catch(() => {}).then(() => { if (detail.id === value().id) draw(); });
  }
  if (detail.failed) wanted.clear();
  for (const button of element.querySelectorAll("[data-download]")) if (button.dataset.download === detail.download) button.disabled = false;
  status();
});

function refresh() {
  controls();
  draw();
  downloads();
  status();
}

function update() {
  const { id, stem, error } = value();
  const some = pictures().length > 0;
  $(".welcome").hidden = some || Boolean(error);
  $(".error").hidden = !error;
  $(".error").textContent = error || "";
  $(".shown").hidden = !some || Boolean(error);
  if (!some) { photograph = ""; return; }
  if (photograph !== value().photograph) {
    photograph = value().photograph;
    view = { zoom: 1, x: 0.5, y: 0.5 };
    kept = "";
    shuffled = [];
    errors = false;
    if (mode === "blind") mode = "slider";
    if (window.innerWidth <= 640) setTimeout(() => $(".stage").scrollIntoView({ block: "center", behavior: "smooth" }), 50);
  }
  if (update.id !== id) { details = {}; wanted.clear(); update.id = id; }
  if (ready() && shuffled.length !== results().length) {
    shuffled = results().map((p) => p.name);
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = Math.floor(Math.random() * (i + 1));
      [shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]];
    }
  }
  refresh();
  wantErrors();
}

once();
watch("value", update);
update();
