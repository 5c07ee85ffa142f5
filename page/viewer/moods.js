// Moods: the photograph in ten overall colors, small, the most plausible first; the automatic colors come before them.
function askMoods() {
  if (!photo.steerable || (moods.length && askMoods.key === moodsKey()) || askMoods.asked === moodsKey()) return;
  askMoods.asked = moodsKey();
  const key = moodsKey();
  request("moods", {}, (answer) => {
    askMoods.asked = null;
    if (answer.failed !== undefined || key !== moodsKey()) return;
    askMoods.key = key;
    moods = answer.moods;
    drawMoods();
    resize();
    if (at) suggest();
  });
}
const moodsKey = () => `${photo?.file} ${look.contrast}`;

function drawMoods() {
  const strip = $(".moods .strip");
  const automatic = versions.get(props.main)?.url;
  const wanted = photo?.steerable && automatic ? [{ name: "", url: automatic }, ...moods] : [];
  $(".moods").hidden = !wanted.length;
  if (strip.children.length > wanted.length || strip.moods?.file !== photo?.file) strip.replaceChildren();
  strip.moods = { file: photo?.file };
  wanted.forEach(({ name, url }, index) => {
    if (!strip.children[index]) strip.append(tile());
    const [input, frame] = strip.children[index].children, [picture, caption] = frame.children;
    input.value = name;
    input.checked = (look.mood || "") === name;
    if (picture.src !== url) picture.src = url;
    caption.textContent = name ? moodTitle(name) : t("Automatic");
  });
}

function tile() {
  const input = make("input", { type: "radio", name: "mood", onchange: () => steer({ mood: input.value || null }) });
  return make("label", { class: "tile" }, input, make("span", {}, make("img", { alt: "", draggable: "false" }), make("b", {})));
}
