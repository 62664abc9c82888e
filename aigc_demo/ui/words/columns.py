"""What the tabs share: asking models, and what the columns of all tabs say of models and images."""

from aigc_demo.core.languages import Row

_SHAKESPEARE = (
    "Shakespeare's plays, 1.0 million characters",
    "莎士比亚戏剧，100 万字符",
    "莎士比亞戲劇，100 萬字元",
)
_STORIES = (
    "20,000 stories of the tiny world",
    "小世界的 2 万个故事",
    "小世界的 2 萬個故事",
)
_RENDERED = (
    "20,000 drawings of the tiny world, one shape each",
    "小世界的 2 万张图画，每张一个形状",
    "小世界的 2 萬張圖畫，每張一個形狀",
)
_EMOJI = (
    "Noto Emoji, 1,647 pictures",
    "Noto Emoji 的 1,647 张图片",
    "Noto Emoji 的 1,647 張圖片",
)
_TANG = (
    "32,600 regulated poems of the Tang dynasty",
    "唐代近体诗约 3.26 万首",
    "唐代近體詩約 3.26 萬首",
)
_PAIRS = (
    "20,000 drawings of the tiny world, one to three things, with captions",
    "小世界的 2 万张图画，每张一到三件东西，附描述",
    "小世界的 2 萬張圖畫，每張一到三件東西，附描述",
)

COLUMN_WORDS: dict[str, Row] = {
    # asking
    "examples": ("Examples", "示例", "範例"),
    "generate": ("Generate", "生成", "生成"),
    "regenerate": ("Regenerate", "重新生成", "重新生成"),
    "stop": ("Stop", "停止", "停止"),
    "seed": ("Seed", "随机种子", "亂數種子"),
    "new_seed": ("New seed each time", "每次用新的种子", "每次用新的種子"),
    "settings": ("Settings", "设置", "設定"),
    "num_inference_steps": ("Steps (diffusion)", "步数（扩散）", "步數（擴散）"),
    "num_inference_steps_info": (
        "denoising steps; more takes longer",
        "去噪的步数；越多越慢",
        "去噪的步數；越多越慢",
    ),
    # models and how they stand
    "model": ("Model", "模型", "模型"),
    "model_left": ("Left model", "左侧模型", "左側模型"),
    "model_right": ("Right model", "右侧模型", "右側模型"),
    "state_ready": ("ready", "就绪", "就緒"),
    "state_unusable": ("cannot be used", "无法使用", "無法使用"),
    "state_waiting": ("waiting", "等待", "等待"),
    "state_loading": (
        "loading the model, {seconds:.0f} s",
        "正在载入模型，{seconds:.0f} 秒",
        "正在載入模型，{seconds:.0f} 秒",
    ),
    "state_fetching": (
        "fetching the model, {percent:.0f} %",
        "正在下载模型，{percent:.0f} %",
        "正在下載模型，{percent:.0f} %",
    ),
    "state_running": ("generating, {count} tokens", "正在生成，{count} 个词元", "正在生成，{count} 個詞元"),
    "state_finished": ("finished, {count} tokens", "已完成，{count} 个词元", "已完成，{count} 個詞元"),
    "state_stopped": (
        "stopped after {count} tokens",
        "生成 {count} 个词元后停止",
        "生成 {count} 個詞元後停止",
    ),
    "state_failed": ("failed", "失败", "失敗"),
    "family_ours": ("ours", "自研", "自研"),
    "family_library": ("library baseline", "库基线", "函式庫基線"),
    "family_pretrained": ("pretrained baseline", "预训练基线", "預訓練基線"),
    "family_ours_long": (
        "Network and training written here, from scratch",
        "网络与训练均在此从零写成",
        "網路與訓練均在此從零寫成",
    ),
    "family_library_long": (
        "A library's network, trained here on the same data",
        "库里的网络，在此用同样的数据训练",
        "函式庫裡的網路，在此用同樣的資料訓練",
    ),
    "family_pretrained_long": (
        "Weights that others trained, from the Hugging Face Hub",
        "他人训练的权重，来自 Hugging Face Hub",
        "他人訓練的權重，來自 Hugging Face Hub",
    ),
    "family_folder_long": (
        "Weights that others trained, from a folder of this server",
        "他人训练的权重，来自本服务器上的文件夹",
        "他人訓練的權重，來自本伺服器上的資料夾",
    ),
    "family_on_ours_long": (
        "Weights that others trained, run on our own network",
        "他人训练的权重，在我们自己的网络上运行",
        "他人訓練的權重，在我們自己的網路上執行",
    ),
    "on_ours": ("on our network", "用我们的网络", "用我們的網路"),
    "gan_download": (
        "has to be fetched first: {size:,.0f} MiB",
        "须先下载：{size:,.0f} MiB",
        "須先下載：{size:,.0f} MiB",
    ),
    # facts of a model, and figures
    "fact_parameters": ("Parameters", "参数量", "參數量"),
    "fact_trained_on": ("Trained on", "训练数据", "訓練資料"),
    "fact_started_from": ("Started from", "起点模型", "起點模型"),
    "random_weights": ("random weights", "随机权重", "隨機權重"),
    "fact_gpu": ("Computed on", "计算设备", "計算裝置"),
    "gpu_asked": (
        "a GPU, for at most {seconds} s",
        "GPU，最多 {seconds} 秒",
        "GPU，最多 {seconds} 秒",
    ),
    "gpu_none": (
        "the CPU: no GPU was available",
        "CPU：没有可用的 GPU",
        "CPU：沒有可用的 GPU",
    ),
    "fact_licence": ("Licence", "许可证", "授權"),
    "fact_languages": ("Languages", "语言", "語言"),
    "fact_download": ("Download", "下载", "下載"),
    "fact_speed": ("Tokens per second, own time", "每秒词元数（自身用时）", "每秒詞元數（自身用時）"),
    "fact_first": ("Time to first token", "首个词元用时", "首個詞元用時"),
    "fact_memory": ("Weights in memory", "权重占内存", "權重占記憶體"),
    "fact_bits": ("Bits per byte", "每字节比特数", "每位元組位元數"),
    "language_English": ("English", "英文", "英文"),
    "language_Chinese": ("Chinese", "中文", "中文"),
    "not_yet": ("–", "–", "–"),
    "seconds": ("{seconds} s", "{seconds} 秒", "{seconds} 秒"),
    "fact_per_picture": ("Per picture, own time", "每张用时（自身）", "每張用時（自身）"),
    "fact_all_pictures": ("For all", "全部用时", "全部用時"),
    "gan_seconds": ("{seconds:.2f} s", "{seconds:.2f} 秒", "{seconds:.2f} 秒"),
    "fact_step_seconds": ("Time per step, on two cores", "每步用时（双核）", "每步用時（雙核）"),
    "about_seconds": ("about {seconds:g} s", "约 {seconds:g} 秒", "約 {seconds:g} 秒"),
    # what models were trained on
    "data_gpt-shakespeare": _SHAKESPEARE,
    "data_gpt2-shakespeare": _SHAKESPEARE,
    "data_gpt-tang": _TANG,
    "data_gpt2-tang": _TANG,
    "data_gpt-tiny-world": _STORIES,
    "data_gpt2-tiny-world": _STORIES,
    "data_dcgan-tiny-world": _RENDERED,
    "data_ddpm-tiny-world": _RENDERED,
    "data_dcgan-emoji": _EMOJI,
    "data_ddpm-emoji": _EMOJI,
    "data_distilgpt2": (
        "OpenWebText, distilled from GPT-2",
        "OpenWebText 网页文本，由 GPT-2 蒸馏",
        "OpenWebText 網頁文字，由 GPT-2 蒸餾",
    ),
    "data_gpt2": (
        "WebText: 40 GB of pages that Reddit linked to",
        "WebText：Reddit 所链接的 40 GB 网页",
        "WebText：Reddit 所連結的 40 GB 網頁",
    ),
    "data_SmolLM2-135M": (
        "2 trillion tokens of selected web pages, textbooks and code",
        "2 万亿词元的精选网页、教科书与代码",
        "2 兆詞元的精選網頁、教科書與程式碼",
    ),
    "data_bert-base-uncased": (
        "11,038 books and English Wikipedia",
        "11,038 本书与英文维基百科",
        "11,038 本書與英文維基百科",
    ),
    "data_ddpm-cifar10": (
        "CIFAR-10: 50,000 photographs of animals and vehicles",
        "CIFAR-10：5 万张动物与车辆的照片",
        "CIFAR-10：5 萬張動物與車輛的照片",
    ),
    "data_Qwen2.5-0.5B": (
        "up to 18 trillion tokens in many languages, not published",
        "多种语言的至多 18 万亿词元，未公开",
        "多種語言的至多 18 兆詞元，未公開",
    ),
    "data_text2image-tiny-world": _PAIRS,
    "data_text2image-diffusion-tiny-world": _PAIRS,
    "data_text2image-emoji": (
        "Noto Emoji, 1,647 pictures with their names",
        "Noto Emoji 的 1,647 张图片及其英文名称",
        "Noto Emoji 的 1,647 張圖片及其英文名稱",
    ),
    "data_tiny-sd": (
        "LAION's captioned pictures, distilled from Stable Diffusion 1.5",
        "LAION 的图文数据，由 Stable Diffusion 1.5 蒸馏",
        "LAION 的圖文資料，由 Stable Diffusion 1.5 蒸餾",
    ),
    "data_sd-turbo": (
        "LAION-5B's captioned pictures, distilled from Stable Diffusion 2.1",
        "LAION-5B 的图文数据，由 Stable Diffusion 2.1 蒸馏",
        "LAION-5B 的圖文資料，由 Stable Diffusion 2.1 蒸餾",
    ),
    "data_clip-vit-base-patch32": (
        "400 million captioned pictures of the web, not published",
        "4 亿对网络图文，未公开",
        "4 億對網路圖文，未公開",
    ),
    # images
    "pictures": ("Pictures", "图片", "圖片"),
    "picture_number": ("Picture {number}: {caption}", "图片 {number}：{caption}", "圖片 {number}：{caption}"),
    "pictures_running": ("generating {count} pictures", "正在生成 {count} 张图片", "正在生成 {count} 張圖片"),
    "pictures_step": ("step {step} of {total}", "第 {step} 步，共 {total} 步", "第 {step} 步，共 {total} 步"),
    "pictures_finished": ("finished, {count} pictures", "已完成，{count} 张图片", "已完成，{count} 張圖片"),
    "pictures_stopped": ("stopped", "已停止", "已停止"),
    "timeline": ("Denoising, from noise to picture", "去噪：从噪声到图片", "去噪：從雜訊到圖片"),
    "timeline_intro": (
        "A diffusion model's prediction of its first pictures at some of its denoising steps.",
        "扩散模型在若干去噪步上对前几张图片的预测。",
        "擴散模型在若干去噪步上對前幾張圖片的預測。",
    ),
    "timeline_empty": (
        "Press Generate, and the steps appear here.",
        "按“生成”，各步就出现在这里。",
        "按「生成」，各步就出現在這裡。",
    ),
    "timeline_one_step": (
        "This model generates a picture in a single step: there is nothing in between.",
        "这个模型一步就生成图片，中间没有别的步骤。",
        "這個模型一步就生成圖片，中間沒有別的步驟。",
    ),
    "caption_step": ("step {step}", "第 {step} 步", "第 {step} 步"),
    "save_sheet": ("Save as PNG", "存为 PNG", "存為 PNG"),
    "save_loop": ("Save as WebP", "存为 WebP", "存為 WebP"),
}
