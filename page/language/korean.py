"""The page's words in Korean."""

from page.language.korean_scripts import KOREAN_SCRIPTS

# English text -> Korean. The English text is the key, so that a missing translation is still a sentence; {} stands for
# what changes, and is in the same order in both.
KOREAN = {
    # tabs and labels
    "# Landscape colorization": "# 풍경 사진 컬러화",
    "Colorize": "컬러화",
    "Models": "모델",
    "0 gray, 1 as predicted; above 1 more vivid, less accurate": (
        "0은 회색, 1은 예측 그대로, 1을 넘으면 더 선명하지만 덜 정확함"
    ),
    # scores
    "Scores against the original, at a long side of at most 512 px": "원본과 비교한 점수, 긴 변 최대 512 px에서",
    "equality of pixels, higher is better": "픽셀의 일치, 높을수록 좋음",
    "equality of structure, 1 at best": "구조의 일치, 최고 1",
    "color difference as people see it, lower is better": "사람이 느끼는 색 차이, 낮을수록 좋음",
    "gray copy, the row to beat": "회색 사본, 넘어야 할 기준",
    # batch
    "Batch": "여러 장",
    "Photographs, or a zip of them": "사진 여러 장 또는 zip",
    "At most 50 photographs and 100 MB together, as files or in a zip": "합해서 최대 50장, 100 MB, 파일 또는 zip",
    "Models to use": "사용할 모델",
    "Color all": "모두 컬러화",
    "Stop": "중지",
    "Choose at least one model.": "모델을 하나 이상 고르세요.",
    "Choose photographs or a zip first.": "먼저 사진이나 zip을 고르세요.",
    "Coloring {} ...": "{}에 색을 입히는 중 ...",
    "Files": "파일 형식",
    "not colored: stopped": "중지되어 처리하지 않음",
    "{} of {} files colored.": "{}/{}개 파일을 컬러화했습니다.",
    "Add photographs or a zip, choose models, and press Color all. The results appear here one by one.": (
        "사진이나 zip을 올리고 모델을 고른 뒤 '모두 컬러화'를 누르세요. 결과가 여기에 하나씩 나타납니다."
    ),
    # models
    "## Three rounds of one lineage": "## 한 계보의 세 라운드",
    "round": "라운드",
    "generator": "생성기",
    "U-Net of 4x4 stride-2 convolutions and transposed convolutions": ("4x4 스트라이드 2 합성곱과 전치 합성곱의 U-Net"),
    "U-Net of residual blocks, dropout": "잔차 블록의 U-Net, 드롭아웃",
    "U-Net with EfficientNet-Lite0's 3x3 and 5x5 stages down, begun with ImageNet's weights, upsampling and "
    "convolution up": (
        "EfficientNet-Lite0의 3x3, 5x5 단계로 내려가고(ImageNet 가중치에서 시작) 업샘플링과 합성곱으로 올라가는 U-Net"
    ),
    "judged by": "평가 기준",
    "PatchGAN discriminator": "PatchGAN 판별기",
    "critic, Wasserstein distance with gradient penalty": "비평가, 기울기 벌점이 있는 바서슈타인 거리",
    "VGG19 features": "VGG19 특징",
    "losses": "손실",
    "BCE GAN loss + L1": "BCE GAN 손실 + L1",
    "Wasserstein + gradient penalty + L1; color and VGG16 terms as options": (
        "바서슈타인 + 기울기 벌점 + L1, 색과 VGG16 항은 선택"
    ),
    "perceptual loss + L1": "지각 손실 + L1",
    "updates": "갱신",
    "discriminator and generator equally often": "판별기와 생성기를 같은 횟수로",
    "critic five times per generator step": "생성기 1단계마다 비평가 5번",
    "one network": "신경망 하나",
    "learning rate": "학습률",
    "constant": "일정",
    "cosine": "코사인",
    "## Measured": "## 측정",
    "model": "모델",
    "weights": "가중치",
    "parameters": "매개변수",
    "working size": "작업 크기",
    "trained on": "학습량",
    "steps": "단계",
    "colorfulness": "색의 풍부함",
    "{} crops": "조각 {}개",
    "not recorded": "기록 없음",
    "not measured": "측정 안 함",
    "gray copy of the input": "입력의 회색 사본",
    "truth": "원본",
    "Measured on {} photographs that no model was trained on.": "어느 모델도 학습하지 않은 사진 {}장에서 측정했습니다.",
    "8-bit sRGB at full size, the output carries the input's L*; PSNR and SSIM (Gaussian window) over RGB; "
    "means over photographs of colorfulness 15 or more.": (
        "원래 크기의 8비트 sRGB, 출력의 L*은 입력과 같음, PSNR과 SSIM(가우스 창)은 RGB에서, "
        "색의 풍부함이 15 이상인 사진들의 평균."
    ),
    "## How they were trained": "## 학습 과정",
    "## Blind votes": "## 블라인드 투표",
    "Which result visitors would keep, without its name. Votes: {}": "방문자가 이름을 모른 채 고른 결과. 투표 수: {}",
    "kept": "선택됨",
    "of": "표시됨",
    "share": "비율",
    "95 % interval": "95 % 구간",
    # video
    "Video": "동영상",
    "Your video": "동영상 파일",
    "Model": "모델 선택",
    "all, side by side": "모두 나란히",
    "Color the video": "동영상 컬러화",
    "Cancel": "취소",
    "Color follows the motion, so it flickers less; sound, length and frame rate stay. "
    "The first colors come after seconds, and the time that is left is measured while it runs. "
    "For longer videos there is the command line.": (
        "색이 움직임을 따라가므로 덜 깜박이며, 소리와 길이, 프레임 속도는 그대로입니다. "
        "몇 초 뒤 첫 색이 나오고, 남은 시간은 처리하면서 잽니다. 더 긴 동영상은 명령줄에서 처리하세요."
    ),
    "MP4, MOV, MKV, WebM, AVI, MPEG or Ogg, at most 20 MB, 60 seconds, 1,800 frames and 1920x1080 pixels": (
        "MP4, MOV, MKV, WebM, AVI, MPEG, Ogg, 최대 20 MB, 60초, 1,800프레임, 1920x1080 픽셀"
    ),
    "Choose a video first.": "먼저 동영상을 고르세요.",
    "Waiting for its turn ...": "차례를 기다리는 중 ...",
    "Starting ...": "시작하는 중 ...",
    "Reading ...": "읽는 중 ...",
    "Reading and coloring the first frames ...": "첫 프레임을 읽고 색을 입히는 중 ...",
    "Putting pictures and sound together ...": "영상과 소리를 합치는 중 ...",
    "Frame {} of {}, {} s left": "{}/{} 프레임, {}초 남음",
    "Frame {} of {}": "{}/{} 프레임",
    "Frame {}": "{} 프레임",
    "Done.": "완료했습니다.",
    "Stopped.": "중지했습니다.",
    "The upload is no longer here: send it again.": "올린 파일이 더 이상 없습니다: 다시 보내 주세요.",
    "This failed for a reason of the server's own: try again, or another video.": (
        "서버의 문제로 처리하지 못했습니다: 다시 시도하거나 다른 동영상을 보내 주세요."
    ),
    "This video cannot be colored: {}.": "이 동영상에는 색을 입힐 수 없습니다: {}.",
    "this is not an MP4, MOV, MKV, WebM, AVI, MPEG or Ogg video, or its beginning is damaged: export it as MP4": (
        "MP4, MOV, MKV, WebM, AVI, MPEG, Ogg 동영상이 아니거나 앞부분이 손상되었습니다: MP4로 내보내세요"
    ),
    "the file holds no video, only sound or other data": "파일에 영상이 없고 소리나 다른 데이터만 있습니다",
    "its video is coded as {}, which is not accepted: export it as H.264 MP4": (
        "영상의 코덱 {}은(는) 받지 않습니다: H.264 MP4로 내보내세요"
    ),
    "its pixels ({}) cannot be converted: export it as MP4": ("픽셀 형식({})을 변환할 수 없습니다: MP4로 내보내세요"),
    "its frames have {} megapixels, at most {} are accepted: make it smaller": (
        "한 프레임이 {}메가픽셀입니다. 최대 {}메가픽셀까지 받습니다: 크기를 줄여 주세요"
    ),
    "its frames have {} pixels, expected 16 or more on each side": (
        "한 프레임이 {} 픽셀입니다. 가로와 세로가 각각 16 픽셀 이상이어야 합니다"
    ),
    "it lasts {} seconds, at most {} seconds are accepted: cut it": (
        "길이가 {}초입니다. 최대 {}초까지 받습니다: 잘라 주세요"
    ),
    "it lasts longer than it says, at most {} seconds are accepted: cut it": (
        "파일에 적힌 것보다 깁니다. 최대 {}초까지 받습니다: 잘라 주세요"
    ),
    "it has {} frames, at most {} frames are accepted: cut it": (
        "프레임이 {}개입니다. 최대 {}개까지 받습니다: 잘라 주세요"
    ),
    "it has more frames than it says, at most {} frames are accepted: cut it": (
        "프레임이 파일에 적힌 것보다 많습니다. 최대 {}개까지 받습니다: 잘라 주세요"
    ),
    "it has {} frames per second, at most {} per second are accepted: convert it to a usual rate": (
        "초당 {}프레임입니다. 최대 {}프레임까지 받습니다: 보통의 프레임 속도로 바꿔 주세요"
    ),
    "none of its frames can be decoded: send the original": "읽을 수 있는 프레임이 없습니다: 원본을 보내 주세요",
    "its {} pixels are padded to even numbers, which H.264 needs": (
        "H.264에는 짝수 크기가 필요하므로 {} 픽셀에 여백을 더했습니다"
    ),
    "its sound ({}) is kept as AAC{}: {}": "소리({})를 AAC{}로 바꿨습니다: {}",
    "MP4 does not take it as it is": "MP4에 그대로 담을 수 없습니다",
    "it cannot be copied ({})": "복사할 수 없습니다({})",
    "most players play only the first of its {} tracks of sound; all are kept": (
        "소리 트랙 {}개를 모두 담았지만, 재생기는 대부분 첫 트랙만 재생합니다"
    ),
    "its sound ({}) is skipped: it cannot be decoded": "소리({})를 읽을 수 없어 뺐습니다",
    "{} packets of its sound or subtitles are skipped: their times are far beyond its end": (
        "소리나 자막의 조각 {}개는 시각이 영상의 끝보다 훨씬 뒤여서 건너뛰었습니다"
    ),
    "its sound is damaged and skipped: {}": "소리가 손상되어 뺐습니다: {}",
    "its time code ({}) is left out: MP4 does not take it at this frame rate": (
        "타임코드({})는 이 프레임 속도의 MP4에 담을 수 없어 뺐습니다"
    ),
    "its clock jumps after {} seconds: what follows is shown without a gap": (
        "{}초 뒤에 파일의 시계가 건너뜁니다. 그다음은 끊김 없이 이어집니다"
    ),
    "{} of its {} frames are interlaced: the two fields of each are made into one picture": (
        "프레임 {}개(전체 {}개)가 비월 주사입니다. 두 필드를 한 장면으로 합쳤습니다"
    ),
    "{} of its points and moods begin after its end at {} seconds, and are not used": (
        "점과 분위기 {}개가 영상이 끝나는 {}초보다 뒤에 시작하여 쓰지 않았습니다"
    ),
    "its high dynamic range is reduced to that of usual screens": "HDR 영상을 일반 화면의 밝기 범위로 줄였습니다",
    "{} of its {} frames have another size, and are brought to that of the first one": (
        "프레임 {}개(전체 {}개)의 크기가 달라 첫 프레임의 크기로 맞췄습니다"
    ),
    "its subtitles ({}) are skipped: MP4 does not take them": "자막({})은 MP4에 담을 수 없어 뺐습니다",
    "{} of its frames are damaged, and colored as they are": "프레임 {}개가 손상되었으며 그대로 색을 입혔습니다",
    "{} damaged pieces of its video could not be decoded and are skipped": (
        "손상되어 읽을 수 없는 영상 조각 {}개를 건너뛰었습니다"
    ),
    "its picture ends after {} of {} seconds: is the file cut short?": (
        "영상이 {}초에서 끝납니다. 전체는 {}초입니다: 파일이 잘렸습니까?"
    ),
    "{} of the {} frames that it should have are missing": "빠진 프레임이 {}개입니다. 전체는 {}개입니다",
    "of its {} video streams, that of {} pixels is used": "영상 {}개 가운데 {} 픽셀인 것을 사용합니다",
    # what happened to a file
    "This cannot be done: {}.": "처리할 수 없습니다: {}.",
    "These colors cannot be used: {}.": "이 색은 사용할 수 없습니다: {}.",
    "there is no such version of the photograph": "이 사진에는 그런 결과가 없습니다",
    "there is no such kind of file": "그런 종류의 파일은 없습니다",
    "a JPEG cannot be so large: save it as PNG": "JPEG로 담기에 너무 큽니다: PNG로 저장하세요",
    "the U-Net that is served here takes no points and no mood": "여기서 쓰는 U-Net은 색 점과 분위기를 받지 않습니다",
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
    "this is {}, which is not read here: export it as JPEG, PNG or TIFF": (
        "이 종류의 파일은 여기서 읽지 못합니다: JPEG, PNG, TIFF로 내보내세요"
    ),
    "this is a camera's raw file, which is not read here: develop it, and export it as TIFF or JPEG": (
        "카메라의 RAW 파일은 여기서 읽지 못합니다: 현상해서 TIFF나 JPEG로 내보내세요"
    ),
    "this is a picture of high dynamic range (PQ or HLG), which is not read: export it as SDR": (
        "HDR(PQ, HLG) 사진은 읽지 못합니다: SDR로 내보내세요"
    ),
    "this kind of TIFF ({}) is not read: save it as an ordinary gray or RGB TIFF, or as PNG": (
        "이 종류의 TIFF({})는 읽지 못합니다: 보통의 회색조나 RGB TIFF 또는 PNG로 저장해 주세요"
    ),
    "a part of the picture is missing in its file: send it again or send the original": (
        "사진 파일의 일부가 없습니다: 다시 보내거나 원본을 보내 주세요"
    ),
    "its numbers have no usual range: the smallest is shown black, the largest white": (
        "값의 범위가 일반적이지 않습니다: 가장 작은 값을 검정, 가장 큰 값을 흰색으로 표시합니다"
    ),
    "it is very dark: its numbers end at {} of {}": "매우 어둡습니다: 값이 {}에서 끝납니다. 전체는 {}입니다",
    "the picture has {}x{} pixels, at most {} a side are accepted: cut it into parts": (
        "사진이 {}x{} 픽셀입니다. 한 변에 최대 {} 픽셀까지 받습니다: 나누어 주세요"
    ),
    "the photograph has only 8 bits: save it as PNG": "사진이 8비트뿐입니다: PNG로 저장하세요",
    "the upload is no longer here: send it again": "올린 파일이 더 이상 없습니다: 다시 보내 주세요",
    "only the first of its frames or pages is used": "첫 번째 프레임 또는 페이지만 사용합니다",
    "its transparent parts are shown on white": "투명한 부분은 흰색으로 표시합니다",
    "the file has {} MB, at most {} MB are accepted: make it smaller": (
        "파일이 {} MB입니다. 최대 {} MB까지 받습니다: 크기를 줄여 주세요"
    ),
    "the picture is larger than {} megapixels: make it smaller": "사진이 {}메가픽셀을 넘습니다: 크기를 줄여 주세요",
    "the picture has {} megapixels, at most {} are accepted: make it smaller": (
        "사진이 {}메가픽셀입니다. 최대 {}메가픽셀까지 받습니다: 크기를 줄여 주세요"
    ),
    "the JPEG has over {} scans, which no camera writes: save it again": (
        "JPEG에 스캔이 {}개 넘게 있습니다. 카메라는 이렇게 저장하지 않습니다: 다시 저장해 주세요"
    ),
    "the picture is damaged: save it again or send the original": (
        "사진이 손상되었습니다: 다시 저장하거나 원본을 보내 주세요"
    ),
    "the picture is cut short, the end of its file is missing: send it again or send the original": (
        "사진 파일의 끝부분이 없습니다: 다시 보내거나 원본을 보내 주세요"
    ),
    "the picture's metadata is far larger than any camera writes: save it again without metadata": (
        "사진의 메타데이터가 지나치게 큽니다: 메타데이터 없이 다시 저장해 주세요"
    ),
    "the picture holds no finite number": "사진에 유한한 값이 없습니다",
    "reading it takes too much memory: save it again as JPEG or PNG": (
        "읽는 데 메모리가 너무 많이 듭니다: JPEG나 PNG로 다시 저장해 주세요"
    ),
    "reading it takes more than {} seconds: save it again as JPEG or PNG": (
        "읽는 데 {}초가 넘게 걸립니다: JPEG나 PNG로 다시 저장해 주세요"
    ),
    "it takes more than {} minutes here: cut it, or make it smaller": (
        "여기서 {}분 넘게 걸립니다: 자르거나 크기를 줄이세요"
    ),
    "it has made no progress for {} seconds: try again, or export it as H.264 MP4": (
        "{}초 동안 진행되지 않았습니다: 다시 시도하거나 H.264 MP4로 내보내세요"
    ),
    "reading it ended unexpectedly: try again, or export it as H.264 MP4": (
        "읽는 중에 예기치 않게 끝났습니다: 다시 시도하거나 H.264 MP4로 내보내세요"
    ),
    "in color it takes more than {} MB: cut it, or make it smaller": (
        "색을 입히면 {} MB를 넘습니다: 자르거나 크기를 줄이세요"
    ),
    "it takes too much memory: make it smaller": "메모리가 너무 많이 필요합니다: 크기를 줄이세요",
    "reading it ended unexpectedly: try again, or save it as JPEG or PNG": (
        "읽는 중에 예기치 않게 끝났습니다: 다시 시도하거나 JPEG나 PNG로 저장해 주세요"
    ),
    "pictures cannot be read at the moment, the server's log says why": (
        "지금은 사진을 읽을 수 없습니다. 이유는 서버의 로그에 있습니다"
    ),
    # what happened to a file of a batch
    "at most {} files are colored at once: send this and the rest later": (
        "한 번에 최대 {}개 파일까지 처리합니다: 이 파일과 나머지는 나중에 보내 주세요"
    ),
    "the files have over {} MB together: send this and the rest later": (
        "파일이 합해서 {} MB를 넘습니다: 이 파일과 나머지는 나중에 보내 주세요"
    ),
    "the results are too large for one zip: send this and the rest later": (
        "결과가 zip 하나에 담기에 너무 큽니다: 이 파일과 나머지는 나중에 보내 주세요"
    ),
    "the zip has far too many entries": "zip에 항목이 너무 많습니다",
    "the zip is damaged or cut short: make it again": "zip이 손상되었거나 잘렸습니다: 다시 만들어 주세요",
    "the zip is damaged here: make it again": "zip의 이 부분이 손상되었습니다: 다시 만들어 주세요",
    "the zip holds no files": "zip에 파일이 없습니다",
    "it is encrypted: make the zip without a password": "암호가 걸려 있습니다: 암호 없이 zip을 만들어 주세요",
    "it has more than {} MB": "{} MB를 넘습니다",
    "zips inside zips are not opened": "zip 안의 zip은 열지 않습니다",
    # the queue and the server
    "You have {} photographs in the queue already: wait for one of them to be done.": (
        "이미 사진 {}장이 대기열에 있습니다: 하나가 끝날 때까지 기다려 주세요."
    ),
    "{} photographs from your address are in the queue: wait for one.": (
        "같은 주소에서 보낸 사진 {}장이 대기열에 있습니다: 하나가 끝날 때까지 기다려 주세요."
    ),
    "You ask faster than the page can answer: wait a moment.": "요청이 너무 빠릅니다: 잠시 기다려 주세요.",
    "You ask too often: at most {} such requests a second.": "요청이 너무 잦습니다: 1초에 최대 {}번까지 받습니다.",
    "The queue is full: {} are ahead of you. Try again in a minute.": (
        "대기열이 가득 찼습니다. 앞에 {}건이 있습니다. 1분 뒤에 다시 시도해 주세요."
    ),
    "You have {} connections open that wait for results: close some.": (
        "결과를 기다리는 연결이 {}개 열려 있습니다: 일부를 닫아 주세요."
    ),
    "The page is being restarted: try again in a minute.": (
        "페이지를 다시 시작하는 중입니다: 1분 뒤에 다시 시도해 주세요."
    ),
    "The page is being restarted: send it again in a minute.": (
        "페이지를 다시 시작하는 중입니다: 1분 뒤에 다시 보내 주세요."
    ),
    "Restarting": "다시 시작",
    "The request is too large: at most {} MB are accepted here.": "요청이 너무 큽니다: 최대 {} MB까지 받습니다.",
    "The upload is too large.": "올린 파일이 너무 큽니다.",
    "You have {} uploads or calls open at the same time: wait for one of them to be done.": (
        "업로드나 요청이 동시에 {}개 열려 있습니다: 하나가 끝날 때까지 기다려 주세요."
    ),
    "This took longer than {} seconds to arrive: send less at once.": (
        "받는 데 {}초가 넘게 걸렸습니다: 한 번에 더 적게 보내 주세요."
    ),
    "Nothing came for {} seconds: send it again.": "{}초 동안 아무것도 오지 않았습니다: 다시 보내 주세요.",
    "The server's disk is full: try again later.": "서버의 디스크가 가득 찼습니다: 나중에 다시 시도해 주세요.",
    "The server failed to answer this: try again.": "서버가 응답하지 못했습니다: 다시 시도해 주세요.",
    "This failed for a reason of the server's own: try again, or another photograph.": (
        "서버의 문제로 처리하지 못했습니다: 다시 시도하거나 다른 사진을 보내 주세요."
    ),
    "Not done": "처리하지 못함",
} | KOREAN_SCRIPTS
