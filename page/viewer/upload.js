// Uploads: by a button, by a drop anywhere on the page, and by pasting.
let sending = null;

function upload(file) {
  if (/\.json$/i.test(file.name)) { readHints(file); return; }
  sending?.abort();
  const form = new FormData();
  form.append("files", file, file.name || "pasted.png");
  const { root, api_prefix: prefix } = window.gradio_config;
  const post = new XMLHttpRequest();
  sending = post;
  post.open("POST", `${root}${prefix}/upload`);
  post.upload.onprogress = ({ loaded, total }) => busy(t("Sending, {} % ...", Math.round((100 * loaded) / total)), (0.2 * loaded) / total);
  post.onloadend = () => {
    if (sending !== post) return;
    sending = null;
    let answer = null;
    try { answer = JSON.parse(post.responseText); } catch { /* it is no answer of ours */ }
    if (post.status === 200 && answer) open(answer[0]);
    else {
      busy("");
      complain(answer?.error || t("The photograph could not be sent: try again."));
    }
  };
  post.send(form);
  complain("");
  busy(t("Sending, {} % ...", 0), 0);
}

// Points and a mood from a file of ours, for the photograph that is shown.
async function readHints(file) {
  try {
    const { version, points = [], mood = null } = JSON.parse(await file.text());
    const inside = (u) => typeof u === "number" && u >= 0 && u <= 1;
    const usable = points.every(({ x, y, color }) => inside(x) && inside(y) && /^#[0-9a-f]{6}$/i.test(color));
    if (!photo.steerable || version !== 1 || !usable || points.length > MOST_POINTS) throw new Error();
    steer({ points: points.map(({ x, y, color }) => ({ x, y, color })), mood });
  } catch {
    complain(t("This file holds no colors for a photograph that is open here."));
  }
}

const isHere = () => element.offsetParent !== null;

// The files of a drop or a paste go to the tab that is open: here, or to its own box for files.
function receive(files) {
  if (!files.length) return false;
  if (isHere()) {
    upload(files[0]);
    if (files.length > 1) complain(t("One photograph at a time is colored here, this is the first. The Batch tab takes many."));
    return true;
  }
  const box = [...document.querySelectorAll("input[type=file]")].find((input) => input.closest(".tabitem")?.offsetParent);
  if (!box) return false;
  const data = new DataTransfer();
  for (const file of box.multiple ? files : files.slice(0, 1)) data.items.add(file);
  box.files = data.files;
  box.dispatchEvent(new Event("change", { bubbles: true }));
  return true;
}

function startUpload() {
  const input = $("#upload input");
  $(".limits").textContent = t(props.limits);
  $("#upload button").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    const [file] = input.files;
    input.value = "";
    if (file) upload(file);
  });
  const overlay = make("div", { class: "colorization-drop", hidden: true }, make("p", {}, t("Drop the photograph anywhere")));
  document.body.append(overlay);
  let inside = 0; // elements that a dragged file has entered and not left
  const hasFiles = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
  const cover = (depth) => { inside = Math.max(0, depth); overlay.hidden = inside === 0; };
  window.addEventListener("dragenter", (event) => { if (hasFiles(event)) cover(inside + 1); });
  window.addEventListener("dragleave", (event) => { if (hasFiles(event)) cover(inside - 1); });
  window.addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
  window.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault(); // else the browser leaves the page for the file
    event.stopPropagation();
    cover(0);
    receive([...event.dataTransfer.files]);
  }, { capture: true });
  window.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files || [])];
    if (files.length && receive(files)) event.preventDefault();
  });
}
