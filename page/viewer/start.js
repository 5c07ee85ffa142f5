// Start: the viewer follows its value. It is joined to the others last.
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
  if (ready() && shuffled.length !== results().length) shuffle();
  refresh();
  wantErrors();
}

once();
watch("value", update);
update();
