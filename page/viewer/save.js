// Saving: the picture, and other files of it that the server makes.
const LATE = 60000; // ms, after which a button may be pressed again in any case

function save(button, kind, options = {}) {
  const name = kind === "zip" || kind === "hints" ? "" : ` ${result()}`;
  const text = button.textContent;
  button.disabled = true;
  button.classList.add("working");
  const late = setTimeout(release, LATE);
  function release() {
    clearTimeout(late);
    button.disabled = false;
    button.classList.remove("working");
    busy("");
  }
  say(t("Preparing: {} ...", text));
  request("save", { names: [`${kind}${name}`], ...options }, (answer) => {
    if (answer.done === false) { busy(t("Preparing: {} ...", text), answer.part); return; }
    release();
    if (answer.failed !== undefined) { answer.gone ? gone() : complain(answer.failed); return; }
    download(answer.save.url, answer.save.orig_name);
  });
}

function startSave() {
  const more = $(".more .row");
  const add = (text, kind, options = () => ({})) => {
    const button = make("button", { type: "button", "data-save": kind, onclick: () => save(button, kind, options()) }, text);
    return button;
  };
  const quality = make("select", { "aria-label": t("Quality of the JPEG") });
  for (const [value, text] of [[95, t("best")], [85, t("good")], [75, t("small")]]) quality.append(make("option", { value }, text));
  const credit = make("input", { type: "checkbox" });
  const options = () => ({ credit: credit.checked });
  more.append(
    make("div", { class: "pair" }, add(t("JPEG"), "jpeg", () => ({ quality: Number(quality.value) })), quality),
    add(t("TIFF, 16 bits"), "tiff"),
    add(t("Color layer for Photoshop (PNG)"), "layer"),
    make("h2", {}, t("Before and after")),
    make("div", { class: "pair" }, add(t("Side by side"), "pair", options), add(t("Diagonal"), "diagonal", options)),
    make("div", { class: "pair" }, add(t("Moving, MP4"), "mp4"), add(t("Moving, GIF"), "gif")),
    make("label", { class: "check" }, credit, t("With a line that says where the colors come from")),
    make("h2", {}, t("Everything")),
    add(t("All with a sheet (zip)"), "zip"),
    add(t("My points and mood (JSON)"), "hints"),
  );
  const main = $(".save");
  main.addEventListener("click", () => save(main, "png"));
}
