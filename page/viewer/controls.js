// Controls around the stage: view, versions, zoom, downloads, status.
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
