"""Korean of what the scripts of the page's own components say; the browser is sent all of it."""

KOREAN_SCRIPTS = {
    # opening and uploads
    "Your black-and-white landscape, in color": "흑백 풍경 사진에 색을 입힙니다",
    "Choose a photograph, drop it anywhere on this page, or paste it.": (
        "사진을 고르거나, 이 페이지 어디에나 끌어다 놓거나, 붙여 넣으세요."
    ),
    "Choose a photograph": "사진 고르기",
    "Another photograph": "다른 사진",
    "Or try one of these": "예시 사진으로 해 보기",
    "Drop the photograph anywhere": "사진을 아무 데나 놓으세요",
    "Sending, {} % ...": "보내는 중, {} % ...",
    "The photograph could not be sent: try again.": "사진을 보내지 못했습니다: 다시 시도해 주세요.",
    "One photograph at a time is colored here, this is the first. The Batch tab takes many.": (
        "여기서는 한 번에 한 장만 처리하며, 이것이 첫 번째 사진입니다. 여러 장은 '여러 장' 탭에서 처리하세요."
    ),
    "Bringing back {} ...": "{} 다시 불러오는 중 ...",
    "Your photograph is kept here for half an hour after its last use, and is not here anymore: choose it again.": (
        "사진은 마지막으로 사용한 뒤 30분 동안만 보관되며, 지금은 없습니다: 다시 골라 주세요."
    ),
    "Coloring ...": "색을 입히는 중 ...",
    "Coloring with {} ...": "{} 모델로 색을 입히는 중 ...",
    "JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF, at most 20 MB and 40 megapixels": (
        "JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF, 최대 20 MB, 4천만 화소"
    ),
    "Longs Peak, about 1941": "롱스피크, 1941년경",
    "Black Hills, about 1890": "블랙힐스, 1890년경",
    "Misty lake": "안개 낀 호수",
    "Lupin meadow": "루핀 초원",
    "Palm beach": "야자수 해변",
    "Autumn wetland": "가을 습지",
    # what is shown
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
    "In color": "컬러",
    "Black and white": "흑백",
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
    "Loading full resolution ...": "전체 해상도를 불러오는 중 ...",
    "Which would you keep?": "어느 것을 고르시겠습니까?",
    "Keep {}": "{} 고르기",
    "Result {}": "결과 {}",
    "You kept {}.": "{}을(를) 고르셨습니다.",
    "Your colors": "내가 고른 색",
    "{}, in your colors": "{}, 내가 고른 색",
    "What is shown": "보여 줄 것",
    "Your picture": "내 사진",
    "Compare models": "모델 비교",
    "{}, your choice": "{}, 내가 고른 것",
    "exact": "일치",
    "64 levels off or more": "64단계 이상 차이",
    "Zoom": "확대와 축소",
    "Round 1: a GAN. A second network, the discriminator, judges patch by patch whether the colors look real.": (
        "1라운드: GAN. 두 번째 신경망인 판별기가 색이 진짜 같은지 조각마다 판정합니다."
    ),
    "Round 2: a Wasserstein GAN. The judge is a critic, which gives a score instead of yes or no: "
    "training is more stable.": (
        "2라운드: 바서슈타인 GAN. 판정하는 비평가가 예, 아니요 대신 점수를 매겨 학습이 더 안정적입니다."
    ),
    "Round 3: an encoder that was trained to recognize things, and a loss that compares what people notice.": (
        "3라운드: 사물을 알아보도록 학습한 인코더와, 사람이 알아차리는 것을 비교하는 손실."
    ),
    # points of color and moods
    "Your own colors": "원하는 색으로",
    "Click a place in the picture and choose its color. What belongs to it follows.": (
        "사진에서 한 곳을 클릭하고 색을 고르세요. 거기에 속한 부분이 따라 바뀝니다."
    ),
    "Tap a place in the picture and choose its color. What belongs to it follows.": (
        "사진에서 한 곳을 누르고 색을 고르세요. 거기에 속한 부분이 따라 바뀝니다."
    ),
    "Points of color": "색 점",
    "Undo (Ctrl+Z)": "실행 취소 (Ctrl+Z)",
    "Redo (Ctrl+Shift+Z)": "다시 실행 (Ctrl+Shift+Z)",
    "Add a point of color": "색 점 추가",
    "Hide the points": "색 점 숨기기",
    "Clear all points and the mood": "색 점과 분위기 모두 지우기",
    "Color of this place": "이 곳의 색",
    "Suggestions for this place": "이 곳에 어울리는 색",
    "Color wheel: left and right turn the hue, up and down change the strength": (
        "색상환: 왼쪽과 오른쪽은 색상, 위와 아래는 세기를 바꿉니다"
    ),
    "Leave gray": "회색으로 두기",
    "Remove": "삭제",
    "Done": "완료",
    "New point, {} % from the left, {} % from the top, no color yet": "새 점, 왼쪽에서 {} %, 위에서 {} %, 아직 색 없음",
    "Point {}, {} % from the left, {} % from the top, {}": "점 {}, 왼쪽에서 {} %, 위에서 {} %, {}",
    "This is the border around the picture, which stays gray.": "사진 둘레의 테두리이며, 회색으로 남습니다.",
    "There are {} points already, which is the most that a picture can have.": (
        "점이 이미 {}개 있습니다. 사진 하나에 더 추가할 수 없습니다."
    ),
    "no color yet": "아직 색 없음",
    "{}, strength {} of {}": "{}, 세기 {}, 최대 {}",
    "Mood": "분위기",
    "Automatic": "자동",
    "Overcast": "흐린 날",
    "Cool day": "서늘한 날",
    "Soft day": "부드러운 날",
    "Clear day": "맑은 날",
    "Woodland": "숲",
    "Dusk": "황혼",
    "Blue hour": "블루 아워",
    "Summer meadow": "여름 초원",
    "Forest green": "짙은 초록",
    "Sunset": "노을",
    "gray": "회색",
    "pink": "분홍",
    "red": "빨강",
    "orange": "주황",
    "brown": "갈색",
    "yellow": "노랑",
    "green": "초록",
    "turquoise": "청록",
    "blue": "파랑",
    "violet": "보라",
    # strength, contrast, saving and details
    "Strength of color": "색의 세기",
    "All with a sheet (zip)": "비교표와 함께 모두 (zip)",
    "best": "최고",
    "embedded": "내장",
    "The colors are plausible, not historical. "
    "People and rooms are not what the models learned: skin often turns bluish.": (
        "색은 그럴듯한 추정이며 역사적 사실이 아닙니다. 사람과 실내는 학습하지 않아 피부가 푸르게 나올 때가 많습니다."
    ),
    "Restore the contrast of a faded scan": "바랜 사진의 대비 복원",
    "The lightness is no longer exactly that of your photograph.": "밝기가 더 이상 원래 사진과 똑같지 않습니다.",
    "Scratches and tears stay. Programs that remove them:": "긁힘과 찢어진 자국은 남습니다. 지워 주는 프로그램:",
    "Download this picture": "이 사진 내려받기",
    "Save as ...": "다른 형식으로 저장 ...",
    "Preparing: {} ...": "준비하는 중: {} ...",
    "JPEG": "JPEG 파일",
    "Quality of the JPEG": "JPEG 품질",
    "good": "좋음",
    "small": "작은 파일",
    "TIFF, 16 bits": "16비트 TIFF",
    "Color layer for Photoshop (PNG)": "포토샵용 색상 레이어 (PNG)",
    "Before and after": "전과 후",
    "Side by side": "나란히 두기",
    "Diagonal": "대각선",
    "Moving, MP4": "움직이는 MP4",
    "Moving, GIF": "움직이는 GIF",
    "With a line that says where the colors come from": "색의 출처를 적은 줄 넣기",
    "Everything": "모두",
    "My points and mood (JSON)": "내 색 점과 분위기 (JSON)",
    "This file holds no colors for a photograph that is open here.": (
        "이 파일에는 지금 열려 있는 사진에 쓸 수 있는 색이 없습니다."
    ),
    "Scores against the original": "원본과 비교한 점수",
    "Details": "자세히",
    "{} x {} px": "{} x {} 픽셀",
    "{}: {} s, weights: {}": "{}: {}초, 가중치: {}",
    # results of a batch, and the video
    "Download all results (zip)": "모든 결과 내려받기 (zip)",
    "Click a result to change its strength, mood or model in the viewer. The zip has what you choose there.": (
        "결과를 누르면 뷰어에서 세기, 분위기, 모델을 바꿀 수 있습니다. zip에는 거기서 고른 것이 담깁니다."
    ),
    "{}, {}: open in the viewer": "{}, {}: 뷰어에서 열기",
    "Download": "내려받기",
    "Download {}": "{} 내려받기",
    "not colored": "처리하지 않음",
    "own colors": "직접 고른 색",
    "strength {}": "세기 {}",
    "Results are kept here for half an hour after their last use, and this one is not here anymore: color it again.": (
        "결과는 마지막으로 사용한 뒤 30분 동안만 보관되며, 이 결과는 지금 없습니다: 다시 컬러화해 주세요."
    ),
    "The page was left while this batch was at work: what is missing here must be colored again.": (
        "처리하는 중에 페이지를 떠났습니다: 여기 없는 사진은 다시 컬러화해야 합니다."
    ),
    "Back to the batch": "여러 장으로 돌아가기",
    "Packing {} files ...": "파일 {}개를 묶는 중 ...",
    "Divider between black and white and color": "흑백과 컬러의 경계선",
    "The newest frame in color": "가장 최근에 색을 입힌 프레임",
    "Download the video": "동영상 다운로드",
}
