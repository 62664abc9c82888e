"""Models: names, prompts, images, checkpoints and model folders."""

from aigc_demo.core.languages import Row

MODEL_SENTENCES: dict[str, Row] = {
    # names of models and sources
    "unknown_model": (
        "There is no model named {name}; `python -m aigc_demo models` lists them.",
        "没有名为 {name} 的模型；`python -m aigc_demo models` 会列出全部。",
        "沒有名為 {name} 的模型；`python -m aigc_demo models` 會列出全部。",
    ),
    "unknown_recipe": (
        "There is no recipe named {name}; there are: {known}.",
        "没有名为 {name} 的配方；有：{known}。",
        "沒有名為 {name} 的配方；有：{known}。",
    ),
    "unknown_source": (
        "There is no source {name}; give tiny-world, a .txt file, or hf:owner/name[:config].",
        "没有来源 {name}；请给 tiny-world、一个 .txt 文件或 hf:owner/name[:config]。",
        "沒有來源 {name}；請給 tiny-world、一個 .txt 檔或 hf:owner/name[:config]。",
    ),
    # text models
    "prompt_too_long": (
        "The prompt has {got} tokens and {model} reads at most {limit}; shorten it.",
        "提示有 {got} 个词元，{model} 最多读 {limit} 个；请缩短。",
        "提示有 {got} 個詞元，{model} 最多讀 {limit} 個；請縮短。",
    ),
    "prompt_far_too_long": (
        "The prompt has {got} characters and {model} reads at most {limit}; shorten it.",
        "提示有 {got} 个字符，{model} 最多读 {limit} 个；请缩短。",
        "提示有 {got} 個字元，{model} 最多讀 {limit} 個；請縮短。",
    ),
    "no_mask": (
        "There is no {mask} in this text; write {mask} where {model} is to guess a word.",
        "这段文字里没有 {mask}；请在要让 {model} 猜词的地方写上 {mask}。",
        "這段文字裡沒有 {mask}；請在要讓 {model} 猜詞的地方寫上 {mask}。",
    ),
    "too_many_masks": (
        "There are {got} masks in this text and at most {limit} are predicted at once; leave more words standing.",
        "这段文字里有 {got} 处遮盖，一次最多预测 {limit} 处；请多留一些词。",
        "這段文字裡有 {got} 處遮蓋，一次最多預測 {limit} 處；請多留一些詞。",
    ),
    "only_masks": (
        "This text is nothing but masks; leave words standing from which the others can be predicted.",
        "这段文字全是遮盖；请留下一些词，好用它们预测其余的词。",
        "這段文字全是遮蓋；請留下一些詞，好用它們預測其餘的詞。",
    ),
    "unknown_letters": (
        "{model} does not know {got} of the {count} characters of this text ({example}); write in a language that it learned.",
        "{model} 不认识这段文字 {count} 个字符中的 {got} 个（{example}）；请用它学过的语言书写。",
        "{model} 不認識這段文字 {count} 個字元中的 {got} 個（{example}）；請用它學過的語言書寫。",
    ),
    "no_next_sentence_head": (
        "{model} never learned whether one text follows another; choose a model of the recipe bert or bert-library.",
        "{model} 没有学过一段文字能否接在另一段之后；请选配方 bert 或 bert-library 的模型。",
        "{model} 沒有學過一段文字能否接在另一段之後；請選配方 bert 或 bert-library 的模型。",
    ),
    "two_texts_needed": (
        "Two texts are needed, and one of them is empty; write what may follow what.",
        "需要两段文字，而其中一段是空的；请写出两段。",
        "需要兩段文字，而其中一段是空的；請寫出兩段。",
    ),
    "nothing_to_answer": (
        "There is nothing to answer; write a question, or the first line of a couplet.",
        "没有可回答的内容；请写一个问题，或一副对句的上句。",
        "沒有可回答的內容；請寫一個問題，或一副對句的上句。",
    ),
    "story_empty": (
        "There is no story that the question could be about; write one, or take an example.",
        "没有问题所指的故事；请写一个，或选一个示例。",
        "沒有問題所指的故事；請寫一個，或選一個示例。",
    ),
    "unknown_question": (
        "The tiny world knows no such question; ask, for example: What colour was the ball?",
        "小世界里没有这样的问题；可以问：球是什么颜色的？",
        "小世界裡沒有這樣的問題；可以（以簡體）問：球是什么颜色的？",
    ),
    "line_length": (
        "A line of {got} characters cannot be answered; the poems have lines of 5 or 7, so give one of those.",
        "{got} 个字的句子无法对答；诗句为五字或七字，请给这样的一句。",
        "{got} 個字的句子無法對答；詩句為五字或七字，請給這樣的一句。",
    ),
    "reads_no_story": (
        "{model} answers lines of verse and reads no story; leave the story out, or choose a model for questions.",
        "{model} 只对答诗句，不读故事；请去掉故事，或选一个回答问题的模型。",
        "{model} 只對答詩句，不讀故事；請去掉故事，或選一個回答問題的模型。",
    ),
    "not_on_ours": (
        "{name} does not run on our own network; choose a GPT-2, or a BERT with its next-sentence head.",
        "{name} 不能在我们自己的网络上运行；请选 GPT-2，或带有下一句预测头的 BERT。",
        "{name} 不能在我們自己的網路上執行；請選 GPT-2，或帶有下一句預測頭的 BERT。",
    ),
    "not_finite": (
        "{model} gives numbers that are not finite (NaN or infinity); its weights are damaged, so load another one.",
        "{model} 给出的数不是有限数，权重已损坏；请换一个模型。",
        "{model} 給出的數不是有限數，權重已損壞；請換一個模型。",
    ),
    # image models, and what measures images
    "too_few_pictures": (
        "{name} has {got} pictures, too few to measure against; give at least {needed}.",
        "{name} 只有 {got} 张图片，太少，无法用来衡量；请至少给出 {needed} 张。",
        "{name} 只有 {got} 張圖片，太少，無法用來衡量；請至少給出 {needed} 張。",
    ),
    "no_encoder": (
        "No image encoder here takes pictures of {size} pixels; train one with the recipe classifier and name it by encoder.",
        "这里没有适用于 {size} 像素图片的图像编码器；请用配方 classifier 训练一个，并用 encoder 指明它。",
        "這裡沒有適用於 {size} 像素圖片的影像編碼器；請用配方 classifier 訓練一個，並用 encoder 指明它。",
    ),
    "no_styles": (
        "{model} has no styles to mix; choose a model of the recipe stylegan.",
        "{model} 没有可以混合的风格；请选择配方 stylegan 训练的模型。",
        "{model} 沒有可以混合的風格；請選擇配方 stylegan 訓練的模型。",
    ),
    "no_such_picture": (
        "There is no picture {got} among {count}; click one of those on the page.",
        "{count} 张图片中没有第 {got} 张；请点击页面上的一张。",
        "{count} 張圖片中沒有第 {got} 張；請點擊頁面上的一張。",
    ),
    "other_size": (
        "{name} has pictures of {size} pixels, these have {got}; choose a model of the same size.",
        "{name} 的图片是 {size} 像素，这些是 {got} 像素；请选同样大小的模型。",
        "{name} 的圖片是 {size} 像素，這些是 {got} 像素；請選同樣大小的模型。",
    ),
    "not_png": (
        "A picture cannot be used ({detail}); give PNG files of at least 8 pixels a side and at most 16 megapixels.",
        "有一张图片不能用（{detail}）；请给每边至少 8 像素、至多 1600 万像素的 PNG 文件。",
        "有一張圖片不能用（{detail}）；請給每邊至少 8 像素、至多 1600 萬像素的 PNG 檔。",
    ),
    "no_training_pictures": (
        "The training pictures of {model} are not at hand; upload them as a zip file of PNG pictures.",
        "{model} 的训练图片不在这里；请把它们作为 PNG 图片的 zip 文件上传。",
        "{model} 的訓練圖片不在這裡；請把它們作為 PNG 圖片的 zip 檔上傳。",
    ),
    "unknown_thing": (
        "{words} names nothing in the tiny world; say a colour and a thing, such as red ball or small blue box.",
        "小世界里没有 {words}；请写颜色和东西，例如 red ball（红球）或 small blue box（小蓝方块）。",
        "小世界裡沒有 {words}；請寫顏色和東西，例如 red ball（紅球）或 small blue box（小藍方塊）。",
    ),
    "nothing_found": (
        "None of the first {count} pictures of {model} clearly shows {words}; say less, or train it for longer.",
        "{model} 的前 {count} 张图片里没有一张清楚地显示 {words}；请写得少一些，或训练得更久。",
        "{model} 的前 {count} 張圖片裡沒有一張清楚地顯示 {words}；請寫得少一些，或訓練得更久。",
    ),
    "no_words": (
        "No classifier here labels what {model} draws at {size} pixels; choose a model of the tiny world, or give seeds.",
        "这里没有分类器能为 {model} 以 {size} 像素生成的图片加标签；请选小世界的模型，或直接给种子。",
        "這裡沒有分類器能為 {model} 以 {size} 像素生成的圖片加標籤；請選小世界的模型，或直接給種子。",
    ),
    "no_gan": (
        "{model} is no GAN; choose a model of the recipe dcgan or stylegan.",
        "{model} 不是 GAN；请选一个由配方 dcgan 或 stylegan 训练的模型。",
        "{model} 不是 GAN；請選一個由配方 dcgan 或 stylegan 訓練的模型。",
    ),
    # checkpoints and model folders
    "model_needs_memory": (
        "{name} needs about {needed} MiB of memory, and one model may take {limit} MiB on this machine; choose a smaller one.",
        "{name} 大约需要 {needed} MiB 内存，而这台机器上一个模型最多可用 {limit} MiB；请选一个更小的模型。",
        "{name} 大約需要 {needed} MiB 記憶體，而這台機器上一個模型最多可用 {limit} MiB；請選一個更小的模型。",
    ),
    "outside_link": (
        "{path} holds a link that leads out of it ({detail}); give a folder with the files themselves.",
        "{path} 里有指向文件夹之外的链接（{detail}）；请给出存放文件本身的文件夹。",
        "{path} 裡有指向資料夾之外的連結（{detail}）；請給出存放檔案本身的資料夾。",
    ),
    "gpu_not_given": (
        "No GPU could be had ({detail}); try again later, or choose a model of ours, which needs none.",
        "没有分到 GPU（{detail}）；请稍后再试，或选一个自研模型，它不需要 GPU。",
        "沒有分到 GPU（{detail}）；請稍後再試，或選一個自研模型，它不需要 GPU。",
    ),
    "broken_model": (
        "{path} holds no model that can be loaded ({detail}); choose another folder or train it again.",
        "{path} 中没有可载入的模型（{detail}）；请换一个文件夹，或重新训练。",
        "{path} 中沒有可載入的模型（{detail}）；請換一個資料夾，或重新訓練。",
    ),
    "foreign_model": (
        "{path} holds a model of another kind ({detail}); choose one that {expected}.",
        "{path} 中是另一类模型（{detail}）；请选一个{expected}的模型。",
        "{path} 中是另一類模型（{detail}）；請選一個{expected}的模型。",
    ),
    "broken_checkpoint": (
        "The checkpoint {path} is not whole ({detail}); delete it and resume from the one before.",
        "检查点 {path} 不完整（{detail}）；请删除它，从前一个继续。",
        "檢查點 {path} 不完整（{detail}）；請刪除它，從前一個繼續。",
    ),
    "folder_exists": (
        "{path} is there already; choose another folder.",
        "{path} 已经存在；请另选文件夹。",
        "{path} 已經存在；請另選資料夾。",
    ),
    "no_checkpoint": (
        "The run {name} has no whole checkpoint at step {step}; choose one of {known}.",
        "训练 {name} 在第 {step} 步没有完整的检查点；请选其中之一：{known}。",
        "訓練 {name} 在第 {step} 步沒有完整的檢查點；請選其中之一：{known}。",
    ),
}
