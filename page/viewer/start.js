// Start: the page opens with its own example, or with what this tab had before. It is joined to the others last.
if (korean) document.documentElement.lang = "ko";
startControls();
startPopover();
startUpload();
startExamples();
startSave();
startDetails();
welcome();
refresh();
busy("");
recall();
reopenBatch();
