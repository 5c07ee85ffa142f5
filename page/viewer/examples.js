// Examples: photographs that come with the page; one click colors one of them.
function startExamples() {
  const list = $("#examples div");
  for (const { index, title, credit, thumbnail } of props.examples) {
    const picture = make("img", { src: thumbnail, alt: "" });
    list.append(make("button", { type: "button", title: credit, onclick: () => pick(index) }, picture, make("span", {}, t(title))));
  }
}

function pick(index) {
  busy(t("Coloring ..."), 0.1);
  request("pick", { index }, (answer) => (answer.file ? open(answer.file) : busy("")));
}

// What is seen before there is a photograph: one of the examples, in color already.
function welcome() {
  const { title, credit, size, input, color } = props.welcome;
  photo = { file: "", stem: t(title), size, box: [0, 0, 1, 1], color: false, steerable: false };
  for (const [name, url] of [["input", input], [props.main, color]]) {
    versions.set(name, { name, url, width: size[0], whole: true, key: keyOf(name) });
  }
  $(".credit").textContent = `${t(title)} · ${credit}`;
}
