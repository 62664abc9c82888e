"""The words of the tab GAN, for `wording`: English, simplified and traditional Chinese."""

GAN_WORDS: dict[str, tuple[str, str, str]] = {
    "tab_gan": ("🎨 GAN", "🎨 GAN 生成对抗网络", "🎨 GAN 生成對抗網路"),
    "gan_intro": (
        "A seed is the noise that a picture is made from. Our GAN makes it in one step; the baseline takes the "
        "noise away in many.",
        "种子就是图片由之而来的噪声。我们的 GAN 一步把它变成图片；基线则分许多步把噪声去掉。",
        "種子就是圖片由之而來的雜訊。我們的 GAN 一步把它變成圖片；基線則分許多步把雜訊去掉。",
    ),
    "gan_no_models": (
        "There is no model that makes pictures here yet. Train one in the tab Train, or on the command line:",
        "这里还没有生成图片的模型。请在“训练”页训练一个，或用命令行：",
        "這裡還沒有生成圖片的模型。請在「訓練」頁訓練一個，或用命令列：",
    ),
    "num_pictures": ("Pictures", "图片数", "圖片數"),
    "truncation": ("Truncation (GAN)", "截断（GAN）", "截斷（GAN）"),
    "truncation_info": (
        "0: always the mean picture; 1: as in training; above: wilder",
        "0：总是平均图片；1：与训练时相同；更大：更大胆",
        "0：總是平均圖片；1：與訓練時相同；更大：更大膽",
    ),
    "num_inference_steps": ("Steps (diffusion)", "步数（扩散）", "步數（擴散）"),
    "num_inference_steps_info": (
        "in which the noise is taken away; more takes longer",
        "分多少步去掉噪声；越多越慢",
        "分多少步去掉雜訊；越多越慢",
    ),
    "pictures": ("Pictures", "图片", "圖片"),
    "picture_number": ("Picture {number}: {caption}", "图片 {number}：{caption}", "圖片 {number}：{caption}"),
    "pictures_empty": (
        "Press Generate, and the pictures appear here. Click one to look for the training picture nearest to it.",
        "按“生成”，图片就出现在这里。点击一张，可查找与它最相近的训练图片。",
        "按「生成」，圖片就出現在這裡。點擊一張，可尋找與它最相近的訓練圖片。",
    ),
    "pictures_running": ("making {count} pictures", "正在生成 {count} 张图片", "正在生成 {count} 張圖片"),
    "pictures_step": ("step {step} of {total}", "第 {step} 步，共 {total} 步", "第 {step} 步，共 {total} 步"),
    "pictures_finished": ("finished, {count} pictures", "已完成，{count} 张图片", "已完成，{count} 張圖片"),
    "pictures_stopped": ("stopped", "已停止", "已停止"),
    "gan_download": (
        "has to be fetched first: {size:,.0f} MiB",
        "须先下载：{size:,.0f} MiB",
        "須先下載：{size:,.0f} MiB",
    ),
    "data_ddpm-cifar10": (
        "CIFAR-10: 50,000 photographs of animals and vehicles",
        "CIFAR-10：5 万张动物与车辆的照片",
        "CIFAR-10：5 萬張動物與車輛的照片",
    ),
    "timeline": ("From noise to picture", "从噪声到图片", "從雜訊到圖片"),
    "timeline_intro": (
        "What a diffusion model guesses of its first pictures at some of its steps.",
        "扩散模型在若干步上对前几张图片的猜测。",
        "擴散模型在若干步上對前幾張圖片的猜測。",
    ),
    "timeline_empty": (
        "Press Generate, and the steps appear here.",
        "按“生成”，各步就出现在这里。",
        "按「生成」，各步就出現在這裡。",
    ),
    "timeline_one_step": (
        "This model makes a picture in a single step: there is nothing in between.",
        "这个模型一步就生成图片，中间没有别的步骤。",
        "這個模型一步就生成圖片，中間沒有別的步驟。",
    ),
    "caption_step": ("step {step}", "第 {step} 步", "第 {step} 步"),
    "fact_per_picture": ("Per picture, own time", "每张用时（自身）", "每張用時（自身）"),
    "fact_all_pictures": ("For all", "全部用时", "全部用時"),
    "gan_seconds": ("{seconds:.2f} s", "{seconds:.2f} 秒", "{seconds:.2f} 秒"),
    "note_scores": (
        "Under each picture: its seed, and how sure the model's own discriminator is that it is real.",
        "每张图片下方：种子，以及模型自己的判别器有多确信它是真的。",
        "每張圖片下方：種子，以及模型自己的判別器有多確信它是真的。",
    ),
    "note_seeds": ("Under each picture: its seed.", "每张图片下方：种子。", "每張圖片下方：種子。"),
    "save_sheet": ("Save as PNG", "存为 PNG", "存為 PNG"),
    "save_loop": ("Save as WebP", "存为 WebP", "存為 WebP"),
}

GAN_SENTENCES: dict[str, tuple[str, str]] = {
    "no_gan": (
        "{model} 不是 GAN；请选一个由配方 dcgan 或 stylegan 训练的模型。",
        "{model} 不是 GAN；請選一個由配方 dcgan 或 stylegan 訓練的模型。",
    ),
}
