// Controls around the picture, and what is said to the visitor.
function startControls() {
  const tools = $(".tools"), zoom = $(".zoom");
  tools.append(
    iconButton("undo", t("Undo (Ctrl+Z)"), undo), iconButton("redo", t("Redo (Ctrl+Shift+Z)"), redo),
    iconButton("point", t("Add a point of color"), addPoint),
    iconButton("eye", t("Hide the points"), () => { hidden = !hidden; refresh(); }),
    iconButton("clear", t("Clear all points and the mood"), () => { closePopover(); steer({ points: [], mood: null }); }),
  );
  const button = (text, name, act) => make("button", { type: "button", "aria-label": name, title: name, onclick: act }, text);
  zoom.append(
    iconButton("minus", t("Zoom out"), () => zoomTo(view.zoom / 1.5)), make("output", {}),
    iconButton("add", t("Zoom in"), () => zoomTo(view.zoom * 1.5)),
    button("1:1", t("Actual pixels"), () => { const { actual } = scales(); zoomTo(actual); }),
    button(t("Fit"), t("Fit the whole picture"), () => zoomTo(1)),
  );
  if (document.fullscreenEnabled) {
    zoom.append(iconButton("full", t("Full screen"), () => document.fullscreenElement ? document.exitFullscreen() : $(".app").requestFullscreen()));
  }
  const strength = $("#strength input");
  strength.addEventListener("input", () => { look = { ...look, strength: Number(strength.value) }; changed(); });
  $("#contrast input").addEventListener("change", (event) => {
    look = { ...look, contrast: event.target.checked };
    color(photo.file);
    changed();
  });
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || !isHere() || !steerable()) return;
    if (/^(input|textarea)$/i.test(event.target.tagName) && /text|search|number|email/.test(event.target.type)) return;
    const key = event.key.toLowerCase();
    if (key === "z" && !event.shiftKey) undo();
    else if ((key === "z" && event.shiftKey) || key === "y") redo();
    else return;
    event.preventDefault();
  });
}

function refresh() {
  const app = $(".app");
  app.dataset.state = photo.file ? "photograph" : "welcome";
  app.classList.toggle("steerable", steerable());
  app.classList.toggle("comparing", comparing);
  app.classList.toggle("phone", narrow());
  $("#upload button").textContent = photo.file ? t("Another photograph") : t("Choose a photograph");
  $("#upload button").className = photo.file ? "" : "primary";
  $("#strength input").value = look.strength;
  $("#strength output").textContent = look.strength.toFixed(1);
  $("#contrast input").checked = look.contrast;
  $("#contrast div").hidden = !look.contrast;
  const [back, forth, , eye, clear] = $(".tools").children;
  back.disabled = !done.length;
  forth.disabled = !undone.length;
  clear.disabled = !steered();
  eye.setAttribute("aria-pressed", hidden);
  $("[data-save=tiff]").hidden = !photo.deep;
  $("[data-save=hints]").hidden = !steered();
  for (const button of element.querySelectorAll(".save, [data-save]")) {
    if (!button.classList.contains("working")) button.disabled = !versions.has(props.main) || Boolean(coloring);
  }
  if (photo.file) {
    drawComparison();
    drawDetails();
  }
  drawLegend();
  drawMoods();
  draw();
}

// What the page is doing, and how far it is, 0 to 1; nothing ends it.
function busy(text, part = 1) {
  const bar = $(".progress");
  bar.classList.toggle("idle", !text);
  bar.firstElementChild.style.width = `${100 * part}%`;
  say(text);
}
const say = (text) => { $(".status").textContent = text; };

// What went wrong; the picture stays as it is.
function complain(text) {
  $(".alert").hidden = !text;
  $(".alert").textContent = text;
}
