// Comparison of the three models: which versions are seen, in which view.
const MODES = { slider: "Slider", grid: "Grid", single: "Single", blind: "Blind vote" };

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
  for (const name of options) node.append(make("option", { value: name, selected: name === current }, title(name)));
  return make("label", {}, text, node);
}

// To the visitor's own picture, or to all models; those that have not seen the photograph do so now.
function compare(all) {
  comparing = all;
  closePopover();
  if (all && props.models.some((name) => !versions.has(name) && !photo.problems?.[name])) color(photo.file);
  changed();
  $(`.switch input[value=${all ? "all" : "own"}]`)?.focus();
}

function drawComparison() {
  segments($(".switch"), t("What is shown"), [["own", t("Your picture")], ["all", t("Compare models")]], comparing ? "all" : "own", (key) => compare(key === "all"));
  $(".comparison").hidden = !comparing;
  if (!comparing) return;
  const all = props.models.filter((name) => versions.has(name));
  const modes = Object.entries(MODES).filter(([key]) => key !== "blind" || (!coloring && all.length > 1));
  if (!modes.some(([key]) => key === mode)) mode = "slider";
  segments($(".modes"), t("View"), modes.map(([key, text]) => [key, t(text)]), mode, (key) => {
    mode = key;
    if (mode === "blind") shuffle();
    changed();
    $(`.modes input[value=${key}]`).focus();
  });
  const picks = $(".picks"), there = names();
  picks.replaceChildren();
  if (mode === "slider" && there.length > 1) {
    const [before, after] = chosen();
    picks.append(
      select(t("Left"), there, before, (name) => { left = name; draw(); follow(); }),
      select(t("Right"), there, after, (name) => { right = name; remember(); draw(); follow(); }),
    );
  } else if (mode === "single") {
    const fieldset = make("fieldset", { class: "names" });
    segments(fieldset, t("Picture"), there.map((name) => [name, title(name)]), chosen()[0], (name) => { single = name; remember(); draw(); follow(); });
    picks.append(fieldset);
  } else if (mode === "blind") {
    picks.append(make("span", {}, kept ? t("You kept {}.", props.titles[kept]) : t("Which would you keep?")));
  }
  if (photo.color && mode !== "blind") {
    const box = make("input", { type: "checkbox", checked: errors, onchange: () => { errors = box.checked; draw(); drawLegend(); } });
    picks.append(make("label", { class: "check" }, box, t("Show error")));
  }
  $(".rounds").hidden = mode === "blind" && !kept;
}

function drawLegend() {
  $(".legend").hidden = !errors || !comparing || mode === "blind";
}
