"""English and Korean: labels that gradio translates in the browser, sentences that the server writes for a visitor."""

import gradio as gr

# English text -> Korean. The English text is the key, so that a missing translation is still a sentence.
KOREAN = {
    # tabs and labels
    "Colorize": "컬러화",
    "Models": "모델",
    "Your photograph": "사진",
    "Or one of these": "예시 사진",
    "Strength of color": "색의 세기",
    "0 is gray, 1 as predicted, more is more vivid and further from the truth on average": (
        "0은 회색, 1은 예측한 그대로이며, 더 크면 더 선명하지만 평균적으로 실제 색에서 멀어집니다"
    ),
    "JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF, at most 20 MB and 40 megapixels": (
        "JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF, 최대 20 MB, 4천만 화소"
    ),
    # examples
    "Longs Peak, about 1941": "롱스피크, 1941년경",
    "Black Hills, about 1890": "블랙힐스, 1890년경",
    "Misty lake": "안개 낀 호수",
    "Green fields": "푸른 들판",
    "Lupin meadow": "루핀 초원",
    "Palm beach": "야자수 해변",
    "Autumn wetland": "가을 습지",
    # viewer
    "Drop a black-and-white landscape onto the page, or take one of the examples.": (
        "흑백 풍경 사진을 올리거나 예시 사진을 고르세요."
    ),
    "Three models color it at its full size, and you compare them here. "
    "A color photograph is turned gray first, and the models are measured against it.": (
        "세 모델이 원래 크기 그대로 색을 입히고, 결과를 여기서 비교합니다. "
        "컬러 사진은 먼저 흑백으로 바꾼 뒤 원본과 비교해 점수를 매깁니다."
    ),
    "The colors are plausible, not historical. "
    "People and rooms are not what the models learned: skin often turns bluish.": (
        "색은 그럴듯한 추정이며 역사적 사실이 아닙니다. 사람과 실내는 학습하지 않아 피부가 푸르게 나올 때가 많습니다."
    ),
    "View": "보기",
    "Slider": "슬라이더",
    "Grid": "나란히",
    "Single": "한 장",
    "Blind vote": "블라인드 투표",
    "Left": "왼쪽",
    "Right": "오른쪽",
    "Picture": "사진 선택",
    "Input": "입력",
    "Original": "원본",
    "Zoom in": "확대",
    "Zoom out": "축소",
    "Actual pixels": "실제 픽셀",
    "Fit": "맞춤",
    "Fit the whole picture": "전체 사진 맞춤",
    "Full screen": "전체 화면",
    "Divider between the two pictures": "두 사진의 경계선",
    "Pictures: + and - zoom, arrow keys move, 0 fits, 1 shows actual pixels": (
        "사진: +와 -로 확대와 축소, 화살표 키로 이동, 0은 맞춤, 1은 실제 픽셀"
    ),
    "{} of 100 shows {}": "100 중 {}까지 {}",
    "{}, the original": "{}, 원본",
    "{}, the black-and-white input": "{}, 흑백 입력",
    "{}, colored by {}": "{}, {}의 결과",
    "Error of {}, colored by {}": "{}, {} 결과의 오차",
    "Show error": "오차 보기",
    "Where and how far each result is from the original: black is exact, white is 64 levels or more": (
        "각 결과가 원본과 어디서 얼마나 다른지: 검정은 같음, 흰색은 64단계 이상 차이"
    ),
    "Coloring with {} ({} of {}) ...": "{} 모델로 색을 입히는 중 ({}/{}) ...",
    "Loading full resolution ...": "전체 해상도를 불러오는 중 ...",
    "Download, {} x {} px:": "내려받기, {} x {} px:",
    "All with a sheet (zip)": "비교표와 함께 모두 (zip)",
    "Which would you keep?": "어느 것을 고르시겠습니까?",
    "Keep {}": "{} 고르기",
    "Result {}": "결과 {}",
    "You kept {}.": "{}을(를) 고르셨습니다.",
    # scores
    "Scores against the original, at a long side of at most 512 px": "원본과 비교한 점수, 긴 변 최대 512 px에서",
    "equality of pixels, higher is better": "픽셀의 일치, 높을수록 좋음",
    "equality of structure, 1 at best": "구조의 일치, 최고 1",
    "color difference as people see it, lower is better": "사람이 느끼는 색 차이, 낮을수록 좋음",
    "gray copy, the row to beat": "회색 사본, 넘어야 할 기준",
    "best": "최고",
    # batch
    "Batch": "여러 장",
    "Photographs, or a zip of them": "사진 여러 장 또는 zip",
    "At most 50 photographs and 100 MB together, as files or in a zip": "합해서 최대 50장, 100 MB, 파일 또는 zip",
    "Models to use": "사용할 모델",
    "Color all": "모두 컬러화",
    "Stop": "중지",
    "Results": "결과",
    "Download all results (zip)": "모든 결과 내려받기 (zip)",
    "Choose at least one model.": "모델을 하나 이상 고르세요.",
    "Choose photographs or a zip first.": "먼저 사진이나 zip을 고르세요.",
    "coloring ...": "색을 입히는 중 ...",
    "not colored: stopped": "중지되어 처리하지 않음",
    "{} of {} files colored.": "{}/{}개 파일을 컬러화했습니다.",
    "How they were trained": "학습 과정",
    # video
    "Video": "동영상",
    "Your video": "동영상 파일",
    "Model": "모델 선택",
    "Color the video": "동영상 컬러화",
    "Cancel": "취소",
    "Preview": "미리 보기",
    "In color": "컬러 결과",
    # what happened to a file
    "This file cannot be colored: {}.": "이 파일에는 색을 입힐 수 없습니다: {}.",
    "Note: {}.": "참고: {}.",
    "the file is empty": "파일이 비어 있습니다",
    "this is not a JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF picture, or its beginning is damaged: "
    "export it as JPEG or PNG": (
        "JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF 사진이 아니거나 앞부분이 손상되었습니다: JPEG나 PNG로 내보내세요"
    ),
    "this is a HEIC picture, as phones save them, which is not read here: export it as JPEG, or set the "
    "phone's camera to its most compatible format": (
        "휴대전화의 HEIC 사진은 여기서 읽지 못합니다: JPEG로 내보내거나 카메라를 호환성 우선으로 설정하세요"
    ),
    "the upload is no longer here: send it again": "올린 파일이 더 이상 없습니다: 다시 보내 주세요",
    "only the first of its frames or pages is used": "첫 번째 프레임 또는 페이지만 사용합니다",
    "its transparent parts are shown on white": "투명한 부분은 흰색으로 표시합니다",
}
# The browser reads these as ICU messages, in which `{` begins an argument; those with one are for our own scripts.
_LABELS = {text: korean for text, korean in KOREAN.items() if "{" not in text}
I18N = gr.I18n(en={text: text for text in _LABELS}, ko=_LABELS)


def label(text: str) -> str:
    """A label, info or Markdown text that gradio shows in the browser's language."""
    return str(I18N(text))


def is_korean(request: gr.Request | None) -> bool:
    """Whether a visitor's browser asks for Korean first."""
    return request is not None and request.headers.get("accept-language", "").lower().startswith("ko")


def say(request: gr.Request | None, text: str) -> str:
    """A sentence in the visitor's language."""
    return KOREAN.get(text, text) if is_korean(request) else text
