"""All wording of the page, in English, simplified Chinese and traditional Chinese.

A row of `WORDS` is one text in the three languages, in the order of `LANGUAGES`. The English of an error
stands in core/errors; `SENTENCES` holds its Chinese. Markers (`{name}`) are the same in every language.
"""

import re
from collections.abc import Mapping
from typing import Any

from aigc_demo.core.errors import ENGLISH
from aigc_demo.core.files.public_paths import public_values
from aigc_demo.ui.words.gan import GAN_SENTENCES, GAN_WORDS
from aigc_demo.ui.words.images import PICTURE_WORDS
from aigc_demo.ui.words.step_by_step import GAME_WORDS
from aigc_demo.ui.words.text_to_image import TEXT_TO_IMAGE_WORDS

LANGUAGES = ("en", "zh-CN", "zh-TW")

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
_DRAWINGS = (
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

_PROCESSES = """{ddp}

```
accelerate launch --config_file configs/ddp.yaml \\
  -m aigc_demo train gpt --data my.txt --run-dir runs/gpus --steps 2000
```

{fsdp}

```
accelerate launch --config_file configs/fsdp.yaml \\
  -m aigc_demo train gpt --data my.txt --run-dir runs/gpus --steps 2000
```

{machines}

```
accelerate launch --config_file configs/ddp.yaml --num_machines 2 --machine_rank 0 \\
  --num_processes 8 --main_process_ip 192.0.2.1 --main_process_port 29500 \\
  -m aigc_demo train gpt --data my.txt --run-dir runs/gpus --steps 2000
```

{cpu}

```
ACCELERATE_USE_CPU=true torchrun --nproc_per_node 2 \\
  -m aigc_demo train gpt --data my.txt --run-dir runs/cpus --steps 2000
```

{end}
"""

WORDS: dict[str, tuple[str, str, str]] = {
    **PICTURE_WORDS,
    **GAN_WORDS,
    **TEXT_TO_IMAGE_WORDS,
    **GAME_WORDS,
    # the page
    "title": ("AIGC Demo", "AIGC 演示", "AIGC 示範"),
    "headline": (
        "Generative models written from scratch, side by side with the ones everybody uses.",
        "从零写成的生成模型，与大家常用的模型并排比较。",
        "從零寫成的生成模型，與大家常用的模型並排比較。",
    ),
    "switch_language": ("Language", "语言", "語言"),
    "switch_theme": ("Light or dark", "浅色或深色", "淺色或深色"),
    "tab_text": ("✍️ Text", "✍️ 文本", "✍️ 文字"),
    # the tab Text: asking
    "text_intro": (
        "One prompt, one seed, one stream of random numbers: where the two texts differ, the models differ.",
        "同一个提示、同一个种子、同一串随机数：两段文字不同之处，正是两个模型不同之处。",
        "同一個提示、同一個種子、同一串亂數：兩段文字不同之處，正是兩個模型不同之處。",
    ),
    "prompt": ("Prompt", "提示", "提示"),
    "prompt_placeholder": (
        "How the text begins. Leave it empty to start from nothing.",
        "文字的开头。留空则从头开始。",
        "文字的開頭。留空則從頭開始。",
    ),
    "examples": ("Examples", "示例", "範例"),
    "generate": ("Generate", "生成", "生成"),
    "continue": ("Continue", "继续写", "繼續寫"),
    "regenerate": ("Regenerate", "重新生成", "重新生成"),
    "stop": ("Stop", "停止", "停止"),
    "seed": ("Seed", "随机种子", "亂數種子"),
    "new_seed": ("New seed each time", "每次用新的种子", "每次用新的種子"),
    "settings": ("Settings", "设置", "設定"),
    "temperature": ("Temperature", "温度", "溫度"),
    "temperature_info": (
        "0 always takes the likeliest token; higher is bolder",
        "0 总取最可能的词元；越高越大胆",
        "0 總取最可能的詞元；越高越大膽",
    ),
    "top_k": ("Top-k", "Top-k", "Top-k"),
    "top_k_info": (
        "Keep only the k likeliest; 0 keeps all",
        "只留最可能的 k 个；0 为全部保留",
        "只留最可能的 k 個；0 為全部保留",
    ),
    "top_p": ("Top-p", "Top-p", "Top-p"),
    "top_p_info": (
        "Keep the likeliest until their probabilities reach p",
        "从最可能的开始保留，直到概率之和达到 p",
        "從最可能的開始保留，直到機率之和達到 p",
    ),
    "num_beams": ("Beams", "束宽", "束寬"),
    "num_beams_info": (
        "Above 1: search for the likeliest text instead of drawing it",
        "大于 1 时改为搜索最可能的文字，而不是抽取",
        "大於 1 時改為搜尋最可能的文字，而不是抽取",
    ),
    "repetition_penalty": ("Repetition penalty", "重复惩罚", "重複懲罰"),
    "repetition_penalty_info": (
        "1 is none; higher avoids tokens already used",
        "1 为不惩罚；越高越避开用过的词元",
        "1 為不懲罰；越高越避開用過的詞元",
    ),
    "max_new_tokens": ("Length", "长度", "長度"),
    "max_new_tokens_info": ("Tokens to write, at most", "最多写多少个词元", "最多寫多少個詞元"),
    "stop_at": ("Stop at", "遇到即停", "遇到即停"),
    "stop_at_info": (
        "The text ends before this; \\n stands for a line break",
        "写到这里之前结束；\\n 表示换行",
        "寫到這裡之前結束；\\n 表示換行",
    ),
    # the tab Text: columns
    "view": ("Show", "显示", "顯示"),
    "view_text": ("Text", "文字", "文字"),
    "view_surprise": ("Surprise", "惊讶程度", "驚訝程度"),
    "view_ids": ("Token ids", "词元编号", "詞元編號"),
    "legend": ("Surprise", "惊讶程度", "驚訝程度"),
    "legend_low": ("0 bits: expected", "0 比特：意料之中", "0 位元：意料之中"),
    "legend_high": ("8 bits: surprising", "8 比特：出乎意料", "8 位元：出乎意料"),
    "model": ("Model", "模型", "模型"),
    "model_left": ("Left model", "左侧模型", "左側模型"),
    "model_right": ("Right model", "右侧模型", "右側模型"),
    "strip": ("Generated text, token by token", "生成的文字，逐个词元", "生成的文字，逐個詞元"),
    "newline": ("line break", "换行", "換行"),
    "strip_empty": (
        "Press Generate, and the text appears here. Click any of its tokens to see what else it could have been.",
        "按“生成”，文字就出现在这里。点击其中任一词元，可看到它本来还可能是什么。",
        "按「生成」，文字就出現在這裡。點擊其中任一詞元，可看到它本來還可能是什麼。",
    ),
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
    "state_running": ("writing, {count} tokens", "正在写，{count} 个词元", "正在寫，{count} 個詞元"),
    "state_finished": ("finished, {count} tokens", "已完成，{count} 个词元", "已完成，{count} 個詞元"),
    "state_stopped": (
        "stopped after {count} tokens",
        "写了 {count} 个词元后停止",
        "寫了 {count} 個詞元後停止",
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
    "fact_parameters": ("Parameters", "参数量", "參數量"),
    "fact_trained_on": ("Trained on", "训练数据", "訓練資料"),
    "fact_gpu": ("Computed on", "计算设备", "計算裝置"),
    "gpu_asked": (
        "a GPU, for at most {seconds} s",
        "GPU，最多 {seconds} 秒",
        "GPU，最多 {seconds} 秒",
    ),
    "gpu_none": (
        "the CPU: no GPU was to be had",
        "CPU：没有分到 GPU",
        "CPU：沒有分到 GPU",
    ),
    "fact_licence": ("Licence", "许可证", "授權"),
    "fact_languages": ("Languages", "语言", "語言"),
    "fact_download": ("Download", "下载", "下載"),
    "fact_speed": ("Tokens per second, own time", "每秒词元数（自身用时）", "每秒詞元數（自身用時）"),
    "fact_first": ("To the first token", "到第一个词元", "到第一個詞元"),
    "fact_memory": ("Weights in memory", "权重占内存", "權重占記憶體"),
    "fact_bits": ("Bits per byte", "每字节比特数", "每位元組位元數"),
    "language_English": ("English", "英文", "英文"),
    "language_Chinese": ("Chinese", "中文", "中文"),
    "data_gpt-shakespeare": _SHAKESPEARE,
    "data_gpt2-shakespeare": _SHAKESPEARE,
    "data_gpt-tang": _TANG,
    "data_gpt2-tang": _TANG,
    "data_gpt-tiny-world": _STORIES,
    "data_gpt2-tiny-world": _STORIES,
    "data_dcgan-tiny-world": _DRAWINGS,
    "data_ddpm-tiny-world": _DRAWINGS,
    "data_dcgan-emoji": _EMOJI,
    "data_ddpm-emoji": _EMOJI,
    "data_distilgpt2": (
        "OpenWebText, taught by GPT-2",
        "OpenWebText 网页文本，由 GPT-2 教出",
        "OpenWebText 網頁文字，由 GPT-2 教出",
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
    "not_yet": ("–", "–", "–"),
    # the tab Text: alternatives
    "alternatives": ("What else could stand here", "这里还可能是什么", "這裡還可能是什麼"),
    "alternatives_hint": (
        "Choose one, and the text goes on from there.",
        "选一个，文字就从那里写下去。",
        "選一個，文字就從那裡寫下去。",
    ),
    "alternatives_before": ("from the model", "模型给出", "模型給出"),
    "alternatives_after": ("after the settings", "经设置之后", "經設定之後"),
    "alternatives_token": ("token", "词元", "詞元"),
    "alternatives_chosen": ("written", "已写", "已寫"),
    "alternatives_close": ("Close", "关闭", "關閉"),
    # the tab Text: surprise, attention
    "surprise": ("🎯 How surprised are they?", "🎯 它们有多惊讶？", "🎯 它們有多驚訝？"),
    "surprise_intro": (
        "Paste a text: each model reads it and says how well it would have guessed each character. Fewer bits per "
        "byte is better, and unlike perplexity it compares models with different tokens.",
        "粘贴一段文字：每个模型读一遍，说出它本来能把每个字猜得多准。每字节比特数越少越好；与困惑度不同，它可以比较词元不同的模型。",
        "貼上一段文字：每個模型讀一遍，說出它本來能把每個字猜得多準。每位元組位元數越少越好；與困惑度不同，它可以比較詞元不同的模型。",
    ),
    "score_text": ("Text to measure", "要测量的文字", "要測量的文字"),
    "score": ("Measure both", "测量两者", "測量兩者"),
    "score_strip": (
        "The pasted text, coloured by surprise",
        "粘贴的文字，按惊讶程度着色",
        "貼上的文字，按驚訝程度著色",
    ),
    "score_empty": ("Not measured yet.", "尚未测量。", "尚未測量。"),
    "score_bits": (
        "{bits:.3f} bits per byte ({num_bytes} bytes, {num_tokens} tokens)",
        "每字节 {bits:.3f} 比特（{num_bytes} 字节，{num_tokens} 个词元）",
        "每位元組 {bits:.3f} 位元（{num_bytes} 位元組，{num_tokens} 個詞元）",
    ),
    "attention": ("🔍 Where does it look?", "🔍 它在看哪里？", "🔍 它在看哪裡？"),
    "attention_intro": (
        "Each row is one token reading the tokens before it; the brighter, the more it takes from there.",
        "每一行是一个词元在读它前面的词元；越亮，从那里取得越多。",
        "每一列是一個詞元在讀它前面的詞元；越亮，從那裡取得越多。",
    ),
    "attention_show": (
        "Show the attention of the text above",
        "显示上面文字的注意力",
        "顯示上面文字的注意力",
    ),
    "attention_layer": ("Layer", "层", "層"),
    "attention_head": ("Head", "头", "頭"),
    "attention_map": ("Attention map", "注意力图", "注意力圖"),
    "attention_empty": (
        "Generate a text first, then show its attention.",
        "先生成一段文字，再显示它的注意力。",
        "先生成一段文字，再顯示它的注意力。",
    ),
    "attention_hover": (
        "Point at the map to read a weight.",
        "把指针放在图上可读出权重。",
        "把指標放在圖上可讀出權重。",
    ),
    # the tab Train: ordering
    "more_tabs": ("More tabs", "更多标签页", "更多分頁"),
    "tab_train": ("📈 Train", "📈 训练", "📈 訓練"),
    "train_intro": (
        "Train a model from nothing and watch it learn. The run goes on when this page is closed.",
        "从零训练一个模型，看它学习。关闭本页后训练仍会继续。",
        "從零訓練一個模型，看它學習。關閉本頁後訓練仍會繼續。",
    ),
    "train_limits": (
        "One run trains at a time, the others wait; at most {minutes} minutes each, {runs} runs and {disk} MiB of "
        "disk a visitor.",
        "同一时间只训练一个，其余排队；每次最多 {minutes} 分钟，每位访客最多 {runs} 次训练、{disk} MiB 磁盘。",
        "同一時間只訓練一個，其餘排隊；每次最多 {minutes} 分鐘，每位訪客最多 {runs} 次訓練、{disk} MiB 磁碟。",
    ),
    "share_run": ("Show this run to others", "让其他人看到这次训练", "讓其他人看到這次訓練"),
    "share_run_info": (
        "They may watch it and use its model; the files are yours alone. A model can repeat its text.",
        "他们可以观看训练并使用其模型；文件只归您。模型可能复述训练文本。",
        "他們可以觀看訓練並使用其模型；檔案只歸您。模型可能複述訓練文字。",
    ),
    "recipe": ("Recipe", "配方", "配方"),
    "recipe_gpt": ("gpt · written here", "gpt · 自研", "gpt · 自研"),
    "recipe_gpt2": ("gpt2 · library baseline", "gpt2 · 库基线", "gpt2 · 函式庫基線"),
    "recipe_classifier": (
        "classifier · names pictures",
        "classifier · 给图片分类",
        "classifier · 為圖片分類",
    ),
    "recipe_ddpm": ("ddpm · library baseline", "ddpm · 库基线", "ddpm · 函式庫基線"),
    "source": ("Learn from", "学习内容", "學習內容"),
    "source_tiny": ("Tiny world: small stories", "小世界：小故事", "小世界：小故事"),
    "source_own": ("A text of your own", "自己的文本", "自己的文字"),
    "own_text": (
        "Text file in UTF-8, up to 5 MB",
        "UTF-8 文本文件，最大 5 MB",
        "UTF-8 文字檔，最大 5 MB",
    ),
    "budget": ("How long", "时长", "時長"),
    "budget_minutes": ("Minutes", "分钟", "分鐘"),
    "budget_steps": ("Steps", "步数", "步數"),
    "amount": ("How many", "多少", "多少"),
    "setting_tokenizer": ("A token is", "一个词元是", "一個詞元是"),
    "choice_tokenizer_characters": ("a character", "一个字符", "一個字元"),
    "choice_tokenizer_words": ("a word", "一个词", "一個詞"),
    "choice_tokenizer_bpe": ("a piece of a word (BPE)", "词的一段（BPE）", "詞的一段（BPE）"),
    "setting_num_layers": ("Layers", "层数", "層數"),
    "setting_hidden_size": ("Features per token", "每个词元的特征数", "每個詞元的特徵數"),
    "setting_context_length": ("Context, in tokens", "上下文（词元）", "上下文（詞元）"),
    "setting_batch_size": ("Rows in one step", "每步的行数", "每步的列數"),
    "setting_learning_rate": ("Learning rate", "学习率", "學習率"),
    "setting_dropout": ("Dropout", "随机丢弃", "隨機丟棄"),
    "start": ("Start", "开始", "開始"),
    "go_on_from": ("Start from", "起点", "起點"),
    "from_nothing": ("nothing: random weights", "从零开始：随机权重", "從零開始：隨機權重"),
    "trial": ("What will it take?", "需要多少？", "需要多少？"),
    "trial_begins": (
        "Trying a few steps; some ten seconds.",
        "正在试跑几步，约十秒。",
        "正在試跑幾步，約十秒。",
    ),
    "trial_fits": (
        "It fits this machine, and takes about {duration}.",
        "这台机器可以承受，大约需要 {duration}。",
        "這台機器可以承受，大約需要 {duration}。",
    ),
    "trial_busy": (
        "It fits this machine, and takes about {duration} or less: another run trained during the trial.",
        "这台机器可以承受，大约需要 {duration} 或更短：试跑时另有训练在进行。",
        "這台機器可以承受，大約需要 {duration} 或更短：試跑時另有訓練在進行。",
    ),
    "trial_duration": ("Time, about", "时间（约）", "時間（約）"),
    "trial_steps": ("Steps", "步数", "步數"),
    "trial_memory": ("Memory", "内存", "記憶體"),
    "trial_disk": ("Disk", "磁盘", "磁碟"),
    "trial_parameters": ("Parameters", "参数量", "參數量"),
    # the tab Train: watching
    "runs": ("Run", "训练记录", "訓練紀錄"),
    "logarithmic": ("Logarithmic", "对数刻度", "對數刻度"),
    "resume": ("Resume", "继续训练", "繼續訓練"),
    "download": ("Download the run", "下载训练", "下載訓練"),
    "delete": ("Delete", "删除", "刪除"),
    "exported": ("File to keep (zip)", "可保存的文件（zip）", "可儲存的檔案（zip）"),
    "more_curves": ("📐 More curves", "📐 更多曲线", "📐 更多曲線"),
    "step": ("Step", "步", "步"),
    "chart_loss": ("Loss, nats a token", "损失（奈特/词元）", "損失（奈特/詞元）"),
    "chart_learning_rate": ("Learning rate", "学习率", "學習率"),
    "chart_gradient_norm": ("Length of the gradient", "梯度长度", "梯度長度"),
    "chart_tokens_per_second": ("Tokens per second", "每秒词元数", "每秒詞元數"),
    "chart_picture_loss": ("Loss, nats a picture", "损失（奈特/图片）", "損失（奈特/圖片）"),
    "chart_accuracy": ("Held-out pictures named rightly", "验证图片分类正确率", "驗證圖片分類正確率"),
    "chart_noise_loss": ("Loss: error of the predicted noise", "损失：噪声预测误差", "損失：雜訊預測誤差"),
    "line_train": ("train", "训练", "訓練"),
    "line_train_smooth": ("smoothed", "平滑后", "平滑後"),
    "line_validation": ("validation", "验证", "驗證"),
    "line_checkpoint": ("checkpoint", "检查点", "檢查點"),
    "line_learning_rate": ("learning rate", "学习率", "學習率"),
    "line_gradient_norm": ("each step", "每一步", "每一步"),
    "line_gradient_norm_smooth": ("smoothed", "平滑后", "平滑後"),
    "line_tokens_per_second": ("each step", "每一步", "每一步"),
    "line_tokens_per_second_smooth": ("smoothed", "平滑后", "平滑後"),
    "line_accuracy": ("share", "比例", "比例"),
    "run_command": ("The same in a terminal", "在终端中做同样的事", "在終端機中做同樣的事"),
    "run_copy": ("Copy", "复制", "複製"),
    "run_copied": ("Copied", "已复制", "已複製"),
    "run_details": (
        "Model, machine, and what was made of the text",
        "模型、机器，以及文本经过的处理",
        "模型、機器，以及文字經過的處理",
    ),
    "run_empty": (
        "No run yet. Choose on the left what to train, and press Start.",
        "还没有训练。请选好要训练什么，再按“开始”。",
        "還沒有訓練。請選好要訓練什麼，再按「開始」。",
    ),
    "run_mine": ("yours", "您的", "您的"),
    "run_others": ("another visitor's", "他人的", "他人的"),
    "run_state_starting": ("starting", "正在启动", "正在啟動"),
    "run_state_queued": ("number {place} in the queue", "排在第 {place} 位", "排在第 {place} 位"),
    "run_state_waiting": ("waiting", "排队中", "排隊中"),
    "run_state_running": ("training", "训练中", "訓練中"),
    "run_state_stopping": (
        "saving a checkpoint, then it stops",
        "正在保存检查点，随后停止",
        "正在儲存檢查點，隨後停止",
    ),
    "run_state_finished": ("finished after {step} steps", "完成，共 {step} 步", "完成，共 {step} 步"),
    "run_state_time": ("time is up, after {step} steps", "时间到，共 {step} 步", "時間到，共 {step} 步"),
    "run_state_stopped": ("stopped at step {step}", "在第 {step} 步停止", "在第 {step} 步停止"),
    "run_state_interrupted": ("interrupted at step {step}", "在第 {step} 步中断", "在第 {step} 步中斷"),
    "run_state_non_finite": ("diverged at step {step}", "在第 {step} 步发散", "在第 {step} 步發散"),
    "run_state_failed": ("failed", "失败", "失敗"),
    "figure_state": ("State", "状态", "狀態"),
    "figure_step": ("Step", "步", "步"),
    "figure_elapsed": ("Trained for", "已训练", "已訓練"),
    "figure_left": ("Left, about", "约剩", "約剩"),
    "figure_validation": ("Validation loss", "验证损失", "驗證損失"),
    "figure_best": ("Best validation loss", "最佳验证损失", "最佳驗證損失"),
    "best_at": ("{loss:.3f} at step {step}", "{loss:.3f}，第 {step} 步", "{loss:.3f}，第 {step} 步"),
    "seconds": ("{seconds} s", "{seconds} 秒", "{seconds} 秒"),
    "minutes_seconds": (
        "{minutes} min {seconds} s",
        "{minutes} 分 {seconds} 秒",
        "{minutes} 分 {seconds} 秒",
    ),
    "hours_minutes": ("{hours} h {minutes} min", "{hours} 时 {minutes} 分", "{hours} 時 {minutes} 分"),
    "run_fact_num_parameters": ("Parameters", "参数量", "參數量"),
    "run_fact_train_tokens": ("Tokens to train on", "训练词元数", "訓練詞元數"),
    "run_fact_vocab_size": ("Vocabulary", "词表大小", "詞表大小"),
    "run_fact_processor": ("Processor", "处理器", "處理器"),
    "run_fact_threads": ("Threads", "线程数", "執行緒數"),
    "run_fact_accelerator": ("Accelerator", "加速器", "加速器"),
    "prepare_read": ("Read", "读入", "讀入"),
    "prepare_encoding": ("Encoding of the file", "文件编码", "檔案編碼"),
    "prepare_clean": ("Cleaned", "清理", "清理"),
    "prepare_drop_lines": ("Lines dropped", "去除行", "去除行"),
    "prepare_split": ("Split off for validation", "划出验证部分", "劃出驗證部分"),
    "prepare_tokenise": ("Cut into tokens", "切成词元", "切成詞元"),
    "prepare_encode": ("As numbers", "变成编号", "變成編號"),
    "prepared": (
        "{kept} characters kept, {dropped} dropped",
        "保留 {kept} 个字符，丢弃 {dropped} 个",
        "保留 {kept} 個字元，丟棄 {dropped} 個",
    ),
    "prepared_tokens": (
        "{kept} tokens, {dropped} characters unknown",
        "{kept} 个词元，{dropped} 个字符未知",
        "{kept} 個詞元，{dropped} 個字元未知",
    ),
    "samples_title": ("What it writes", "它写的文字", "它寫的文字"),
    "samples_step": ("Step {step}", "第 {step} 步", "第 {step} 步"),
    "samples_empty": (
        "At each checkpoint the model writes something here, from the same prompt and seed.",
        "每到一个检查点，模型都会用同样的提示和种子在这里写一段。",
        "每到一個檢查點，模型都會用同樣的提示和種子在這裡寫一段。",
    ),
    "used_disk": (
        "Your runs take {used:.0f} of the {limit} MiB that a visitor has.",
        "您的训练占用了每位访客 {limit} MiB 中的 {used:.0f} MiB。",
        "您的訓練佔用了每位訪客 {limit} MiB 中的 {used:.0f} MiB。",
    ),
    "space_disk": (
        "This Space loses its disk when it restarts. Keep your run with “Download the run”, below its card.",
        "这个 Space 重启后磁盘内容会丢失。请用训练卡片下方的“下载训练”保存。",
        "這個 Space 重新啟動後磁碟內容會遺失。請用訓練卡片下方的「下載訓練」儲存。",
    ),
    "space_disk_run": (
        "A restart of this Space deletes this run: “Download the run”, just below, keeps it.",
        "这个 Space 重启后会丢失这次训练：请用下面的“下载训练”保存。",
        "這個 Space 重新啟動後會遺失這次訓練：請用下面的「下載訓練」儲存。",
    ),
    # the tab Train: back through the checkpoints
    "scrub_title": ("Back through its checkpoints", "回看各个检查点", "回看各個檢查點"),
    "scrub_slider": ("Checkpoint", "检查点", "檢查點"),
    "scrub_empty": (
        "Once there is a checkpoint, a slider stands here that goes back through the run.",
        "有了检查点之后，这里会出现滑块，可以回看训练过程。",
        "有了檢查點之後，這裡會出現滑桿，可以回看訓練過程。",
    ),
    "scrub_beside": ("Beside it", "与之并排", "與之並排"),
    "scrub_alone": ("nothing", "不并排", "不並排"),
    "scrub_write": ("Write at this checkpoint", "用此检查点续写", "用此檢查點續寫"),
    "scrub_at": ("{run}, step {step}", "{run}，第 {step} 步", "{run}，第 {step} 步"),
    "notice_started": ("Ordered: {name}", "已下单：{name}", "已下單：{name}"),
    "notice_stopping": (
        "It finishes its step, saves a checkpoint, and stops.",
        "它会做完这一步，保存检查点，然后停止。",
        "它會做完這一步，儲存檢查點，然後停止。",
    ),
    "notice_resumed": (
        "It goes on from its last checkpoint.",
        "从最后一个检查点继续。",
        "從最後一個檢查點繼續。",
    ),
    "notice_deleted": ("Deleted.", "已删除。", "已刪除。"),
    "notice_uploaded": ("Here it is: {name}", "已上传：{name}", "已上傳：{name}"),
    # the tab Train: keeping and comparing
    "save_model": ("Download the model", "下载模型", "下載模型"),
    "hub": ("🤗 Push to the Hub", "🤗 推送到 Hub", "🤗 推送到 Hub"),
    "push_model": ("Push", "推送", "推送"),
    "push_name": (
        "Repository on the Hub, owner/name",
        "Hub 上的仓库，owner/name",
        "Hub 上的儲存庫，owner/name",
    ),
    "push_intro": (
        "Sends the model of the run above and its card to a repository on the Hub, with the token in the "
        "server's environment. A new repository is private until its owner changes that.",
        "用服务器环境中的令牌，把上面这次训练的模型和模型卡送到 Hub 上的仓库。新仓库是私有的，直到其所有者更改。",
        "用伺服器環境中的權杖，把上面這次訓練的模型和模型卡送到 Hub 上的儲存庫。新儲存庫是私有的，直到其擁有者更改。",
    ),
    "notice_pushed": ("Pushed: {url}", "已推送：{url}", "已推送：{url}"),
    "upload_run": ("📦 Bring a run back", "📦 带回一次训练", "📦 帶回一次訓練"),
    "upload_intro": (
        "A zip file that “Download the run” made, of 64 MB at most. It can be looked at, compared and used, not resumed.",
        "“下载训练”得到的 zip 文件，最大 64 MB。可以查看、比较和使用，但不能继续训练。",
        "「下載訓練」得到的 zip 檔，最大 64 MB。可以檢視、比較和使用，但不能繼續訓練。",
    ),
    "upload": ("Upload", "上传", "上傳"),
    "compare_runs": ("⚖️ Compare runs", "⚖️ 比较多次训练", "⚖️ 比較多次訓練"),
    "compare_pick": ("Up to 6 runs", "最多 6 次训练", "最多 6 次訓練"),
    "compare_train": ("train, smoothed", "训练（平滑）", "訓練（平滑）"),
    "compare_caption": (
        "How far they came, and the settings that differ",
        "各自的成绩，以及不同的设置",
        "各自的成績，以及不同的設定",
    ),
    # what the page explains
    "help_processes_title": ("🖥️ Several GPUs or machines", "🖥️ 多块 GPU 或多台机器", "🖥️ 多張 GPU 或多台機器"),
    "help_processes": (
        _PROCESSES.format(
            ddp="The page trains in one process. In a terminal the same recipe runs on several GPUs or machines, with "
            "the loss curve of one process, by accelerate, an existing engine and not "
            "one of ours. Each GPU holds the whole model (DDP):",
            fsdp="The GPUs share a model that one of them has no room for (FSDP):",
            machines="On several machines: the same command on each, with `--machine_rank 1` on the second and so "
            "on; the text and the run directory on a disk that all of them see:",
            cpu="Two processes without a GPU:",
            end="`batch_size` counts the rows of all processes together and must be a multiple of their number. "
            "Checkpoints are the same in all cases: with `--resume`, one process or another number of them "
            "goes on.",
        ),
        _PROCESSES.format(
            ddp="本页在一个进程中训练。在终端里，同一配方可由现成的引擎 accelerate（不是我们写的）"
            "在多块 GPU 或多台机器上运行，损失曲线与一个进程的相同。"
            "每块 GPU 都有完整的模型（DDP）：",
            fsdp="模型大到一块 GPU 放不下时，由各 GPU 分担（FSDP）：",
            machines="多台机器：每台运行同一命令，第二台用 `--machine_rank 1`，依此类推；文本和训练目录须在各台都能访问的磁盘上：",
            cpu="没有 GPU 时用两个进程：",
            end="`batch_size` 是所有进程合计的行数，必须是进程数的倍数。各种情况下的检查点都相同："
            "加 `--resume`，可以改用一个或另一个数目的进程继续。",
        ),
        _PROCESSES.format(
            ddp="本頁在一個處理程序中訓練。在終端機裡，同一配方可由現成的引擎 accelerate（不是我們寫的）"
            "在多張 GPU 或多台機器上執行，損失曲線與一個處理程序的相同。"
            "每張 GPU 都有完整的模型（DDP）：",
            fsdp="模型大到一張 GPU 放不下時，由各 GPU 分擔（FSDP）：",
            machines="多台機器：每台執行同一命令，第二台用 `--machine_rank 1`，依此類推；文字和訓練目錄須在各台都能存取的磁碟上：",
            cpu="沒有 GPU 時用兩個處理程序：",
            end="`batch_size` 是所有處理程序合計的列數，必須是處理程序數的倍數。各種情況下的檢查點都相同："
            "加 `--resume`，可以改用一個或另一個數目的處理程序繼續。",
        ),
    ),
    # toasts
    "toast_title": ("That did not work", "没有成功", "沒有成功"),
    "unexpected": (
        "Something went wrong on the server; its log says what. Try again, or choose another model.",
        "服务器上出了问题，日志中有详情。请再试一次，或换一个模型。",
        "伺服器上出了問題，日誌中有詳情。請再試一次，或換一個模型。",
    ),
    "call_does_not_fit": (
        "This call does not fit the endpoint: an argument is missing, or is of another type.",
        "这次调用与接口不符：缺少参数，或参数类型不对。",
        "這次呼叫與端點不符：缺少參數，或參數類型不對。",
    ),
}

SENTENCES: dict[str, tuple[str, str]] = {
    # settings
    "unknown_setting": (
        "这里没有名为 {name} 的设置；有：{known}。",
        "這裡沒有名為 {name} 的設定；有：{known}。",
    ),
    "setting_type": (
        "{name} 必须是{expected}，得到的是 {got}。",
        "{name} 必須是{expected}，得到的是 {got}。",
    ),
    "setting_range": ("{name} 必须{expected}，得到的是 {got}。", "{name} 必須{expected}，得到的是 {got}。"),
    "heads_do_not_divide": (
        "hidden_size {hidden_size} 不能由 {num_heads} 个头平分；请选它的倍数。",
        "hidden_size {hidden_size} 不能由 {num_heads} 個頭平分；請選它的倍數。",
    ),
    # names of models and sources
    "unknown_model": (
        "没有名为 {name} 的模型；`python -m aigc_demo models` 会列出全部。",
        "沒有名為 {name} 的模型；`python -m aigc_demo models` 會列出全部。",
    ),
    "unknown_recipe": ("没有名为 {name} 的配方；有：{known}。", "沒有名為 {name} 的配方；有：{known}。"),
    "unknown_source": (
        "没有来源 {name}；请给 tiny-world、一个 .txt 文件或 hf:owner/name[:config]。",
        "沒有來源 {name}；請給 tiny-world、一個 .txt 檔或 hf:owner/name[:config]。",
    ),
    # texts and where they come from
    "no_file": (
        "没有文件 {path}；请检查名称，或给 tiny-world 或 hf:owner/name[:config]。",
        "沒有檔案 {path}；請檢查名稱，或給 tiny-world 或 hf:owner/name[:config]。",
    ),
    "source_is_folder": (
        "{path} 是文件夹，这里需要文本；请给其中一个 .txt 文件。",
        "{path} 是資料夾，這裡需要文字；請給其中一個 .txt 檔。",
    ),
    "empty_path": (
        "路径为空；请给出文件或文件夹的名称。",
        "路徑為空；請給出檔案或資料夾的名稱。",
    ),
    "unreadable_file": (
        "无法读取 {path}（{detail}）；请检查名称和权限。",
        "無法讀取 {path}（{detail}）；請檢查名稱和權限。",
    ),
    "too_large": (
        "{name} 有 {got} MiB，超过可接受的 {limit} MiB；请只给其中一部分。",
        "{name} 有 {got} MiB，超過可接受的 {limit} MiB；請只給其中一部分。",
    ),
    "not_text": (
        "{name} 不是 UTF-8 文本（第 {place} 个字节不是）；请存为 UTF-8 纯文本。",
        "{name} 不是 UTF-8 文字（第 {place} 個位元組不是）；請存為 UTF-8 純文字。",
    ),
    "unsure_encoding": (
        "无法确定 {name} 的编码（{candidates}？）；请存为 UTF-8 纯文本。",
        "無法確定 {name} 的編碼（{candidates}？）；請存為 UTF-8 純文字。",
    ),
    "empty_text": (
        "{name} 中没有文字；请给一个含有若干句子的文件。",
        "{name} 中沒有文字；請給一個含有若干句子的檔案。",
    ),
    "hub_form": (
        "{name} 不是 hf:owner/name[@commit][:config] 的形式，其中 commit 须写全 40 位。",
        "{name} 不是 hf:owner/name[@commit][:config] 的形式，其中 commit 須寫全 40 位。",
    ),
    "hub_unreachable": (
        "{name} 既不在本机缓存中，也无法连上；请连接网络，或改用文件或 tiny-world。",
        "{name} 既不在本機快取中，也無法連上；請連接網路，或改用檔案或 tiny-world。",
    ),
    "hub_unknown": (
        "Hub 上没有公开的数据集 {name}；请检查所有者、名称和 commit。",
        "Hub 上沒有公開的資料集 {name}；請檢查擁有者、名稱和 commit。",
    ),
    "hub_configuration": (
        "{name} 有多个部分；请在名称后加冒号和其中之一：{known}。",
        "{name} 有多個部分；請在名稱後加冒號和其中之一：{known}。",
    ),
    "hub_no_train": (
        "{name} 没有名为 train 的部分，只有 {known}；请另选数据集。",
        "{name} 沒有名為 train 的部分，只有 {known}；請另選資料集。",
    ),
    "hub_column": (
        "{name} 没有名为 text 的列，{known} 中也没有唯一的文本列；请另选数据集。",
        "{name} 沒有名為 text 的欄，{known} 中也沒有唯一的文字欄；請另選資料集。",
    ),
    "hub_unreadable": (
        "无法读取 {name}（{detail}）；请另选数据集，或以文件给出其文本。",
        "無法讀取 {name}（{detail}）；請另選資料集，或以檔案給出其文字。",
    ),
    "too_few_pictures": (
        "{name} 只有 {got} 张图片，太少，无法用来衡量；请至少给出 {needed} 张。",
        "{name} 只有 {got} 張圖片，太少，無法用來衡量；請至少給出 {needed} 張。",
    ),
    "no_encoder": (
        "这里没有能看 {size} 像素图片的网络；请用配方 classifier 训练一个，并用 encoder 指明它。",
        "這裡沒有能看 {size} 像素圖片的網路；請用配方 classifier 訓練一個，並用 encoder 指明它。",
    ),
    "no_styles": (
        "{model} 没有可以混合的风格；请选择配方 stylegan 训练的模型。",
        "{model} 沒有可以混合的風格；請選擇配方 stylegan 訓練的模型。",
    ),
    "nothing_left": (
        "清理丢弃了 {name} 的全部 {dropped} 个字符；请少丢一些，或换一段文本。",
        "清理丟棄了 {name} 的全部 {dropped} 個字元；請少丟一些，或換一段文字。",
    ),
    # pictures and where they come from
    "no_picture_folder": (
        "没有文件夹 {path}；请检查名称，或给 tiny-world 或 hf:owner/name[:config]。",
        "沒有資料夾 {path}；請檢查名稱，或給 tiny-world 或 hf:owner/name[:config]。",
    ),
    "no_pictures": (
        "{name} 里没有可用的图片（{detail}）；请给一个装有 PNG 或 JPEG 文件的文件夹，每边至少 8 像素。",
        "{name} 裡沒有可用的圖片（{detail}）；請給一個裝有 PNG 或 JPEG 檔案的資料夾，每邊至少 8 像素。",
    ),
    "caption_without_words": (
        "描述里没有词；请说要画什么，例如：一个红色的球。",
        "描述裡沒有詞；請說要畫什麼，例如：一個紅色的球。",
    ),
    "no_known_words": (
        "{model} 一个词也不认识；请用描述下方示例中的词。",
        "{model} 一個詞也不認識；請用描述下方範例中的詞。",
    ),
    "no_other_word": (
        "没有可以替换“{word}”的词；请选一个颜色、形状、大小或方位。",
        "沒有可以替換「{word}」的詞；請選一個顏色、形狀、大小或方位。",
    ),
    "no_mender": (
        "这里没有能处理 {size} 像素图片的网络（{recipe}）；请先训练一个。",
        "這裡沒有能處理 {size} 像素圖片的網路（{recipe}）；請先訓練一個。",
    ),
    "no_ranker": (
        "这里没有与 {model} 用同样数据训练的双编码器，无法比较。",
        "這裡沒有與 {model} 用同樣資料訓練的雙編碼器，無法比較。",
    ),
    "caption_not_understood": (
        "这句描述说的不是小世界里的东西，无从检查；例如可以说：一个红色的球在一个蓝色的方块的左边。",
        "這句描述說的不是小世界裡的東西，無從檢查；例如可以說：一個紅色的球在一個藍色的方塊的左邊。",
    ),
    "text_or_image": (
        "请给出文字或图片之一来检索，只给一个。",
        "請給出文字或圖片之一來檢索，只給一個。",
    ),
    "nothing_painted": (
        "还没有涂抹任何地方；请先涂掉要重画的部分。",
        "還沒有塗抹任何地方；請先塗掉要重畫的部分。",
    ),
    "all_painted": (
        "整张图都被涂掉了；请留下一部分作为依据。",
        "整張圖都被塗掉了；請留下一部分作為依據。",
    ),
    "no_captions": (
        "{source} 的图片没有文字说明；请用 tiny-world，或给一个带 metadata.csv（含 file_name 和 text 两列）的文件夹。",
        "{source} 的圖片沒有文字說明；請用 tiny-world，或給一個帶 metadata.csv（含 file_name 和 text 兩欄）的資料夾。",
    ),
    "too_many_pictures": (
        "{name} 里的图片超过可接受的 {limit} 张；请只给其中一部分。",
        "{name} 裡的圖片超過可接受的 {limit} 張；請只給其中一部分。",
    ),
    "pictures_crash": (
        "{name} 里有 {count} 张图片使解码程序中断；请取出损坏的图片，或把它们重新存为 PNG。",
        "{name} 裡有 {count} 張圖片使解碼程式中斷；請取出損壞的圖片，或把它們重新存為 PNG。",
    ),
    "bad_metadata": (
        "{name} 不能作为图片的表格读取（{detail}）；请给含 file_name 和 text 两列的文件，或把它移出文件夹。",
        "{name} 不能作為圖片的表格讀取（{detail}）；請給含 file_name 和 text 兩欄的檔案，或把它移出資料夾。",
    ),
    "table_open_quote": (
        "{name} 的第 {row} 条（文件第 {line} 行）有一个引号没有结束；请补上或去掉。",
        "{name} 的第 {row} 筆（檔案第 {line} 行）有一個引號沒有結束；請補上或去掉。",
    ),
    "table_late_quote": (
        "{name} 的第 {row} 条（文件第 {line} 行）在结束的引号后面还有文字或空格；请把整个说明放进引号，里面的引号写两次。",
        "{name} 的第 {row} 筆（檔案第 {line} 行）在結束的引號後面還有文字或空格；請把整個說明放進引號，裡面的引號寫兩次。",
    ),
    "table_long_cell": (
        "{name} 的第 {row} 条（文件第 {line} 行）有一格超过 {limit} 个字符；请缩短它，或补上缺少的结束引号。",
        "{name} 的第 {row} 筆（檔案第 {line} 行）有一格超過 {limit} 個字元；請縮短它，或補上缺少的結束引號。",
    ),
    "table_long_line": (
        "{name} 的第 {line} 行超过 {limit} 个字符；请缩短它。",
        "{name} 的第 {line} 行超過 {limit} 個字元；請縮短它。",
    ),
    "table_many_rows": (
        "{name} 超过可接受的 {limit} 条；请只给其中一部分。",
        "{name} 超過可接受的 {limit} 筆；請只給其中一部分。",
    ),
    "table_no_names": (
        "{name} 里没有一条写明图片的文件名；请填写文件名那一列。",
        "{name} 裡沒有一筆寫明圖片的檔名；請填寫檔名那一欄。",
    ),
    "table_no_object": (
        "{name} 的第 {line} 行不是 JSON 对象；请每行写一个对象，不要用一个列表包住全部，也不要把一个对象写成几行。",
        "{name} 的第 {line} 行不是 JSON 物件；請每行寫一個物件，不要用一個清單包住全部，也不要把一個物件寫成幾行。",
    ),
    "table_line_ends": (
        "{name} 的各行只以回车符（CR）结束；请用 Unix 或 Windows 的换行方式保存。",
        "{name} 的各行只以歸位字元（CR）結束；請用 Unix 或 Windows 的換行方式儲存。",
    ),
    "captions_empty": (
        "{name} 中写有图片的各条都没有说明：{column} 那里是空的；请把说明写进去。",
        "{name} 中寫有圖片的各筆都沒有說明：{column} 那裡是空的；請把說明寫進去。",
    ),
    "rows_too_long": (
        "{name} 有 {count} 条的格数多于列数（第一条：{first}），其说明没有使用；请把含逗号的说明放进引号。",
        "{name} 有 {count} 筆的格數多於欄數（第一筆：{first}），其說明沒有使用；請把含逗號的說明放進引號。",
    ),
    "captions_no_text": (
        "{name} 有 {count} 个说明是列表或其他不是文字的值（第一个：{first}），没有使用；请为每张图片写一段文字。",
        "{name} 有 {count} 個說明是清單或其他不是文字的值（第一個：{first}），沒有使用；請為每張圖片寫一段文字。",
    ),
    "no_column": (
        "{name} 没有名为 {expected} 的列，只有：{known}；请把所指的那一列改名。",
        "{name} 沒有名為 {expected} 的欄，只有：{known}；請把所指的那一欄改名。",
    ),
    "rows_match_nothing": (
        "{name} 的 {count} 行中没有一行对应文件夹里的图片（第一行：{first}）；文件名须与文件完全一致，大小写也要一致。",
        "{name} 的 {count} 列中沒有一列對應資料夾裡的圖片（第一列：{first}）；檔名須與檔案完全一致，大小寫也要一致。",
    ),
    "rows_without_picture": (
        "{name} 有 {count} 行在文件夹里没有对应的图片（第一行：{first}），未使用；文件名须与文件完全一致，大小写也要一致。",
        "{name} 有 {count} 列在資料夾裡沒有對應的圖片（第一列：{first}），未使用；檔名須與檔案完全一致，大小寫也要一致。",
    ),
    "pictures_without_row": (
        "{count} 张图片在 {name} 中没有对应的行（第一张：{first}）；如有文字说明，请补上这些行。",
        "{count} 張圖片在 {name} 中沒有對應的列（第一張：{first}）；如有文字說明，請補上這些列。",
    ),
    "rows_repeated": (
        "{name} 有 {count} 行重复指同一张图片（第一行：{first}）；只使用较早的一行。",
        "{name} 有 {count} 列重複指同一張圖片（第一列：{first}）；只使用較早的一列。",
    ),
    "zip_names": (
        "zip 文件里的名称没有标明 UTF-8，按 {encoding} 读取（第一个：{first}）；如果不对，请用 UTF-8 文件名重新打包图片。",
        "zip 檔裡的名稱沒有標明 UTF-8，按 {encoding} 讀取（第一個：{first}）；如果不對，請用 UTF-8 檔名重新打包圖片。",
    ),
    "zip_name_guessed": (
        "zip 文件里的名称 {name} 不能接受；它没有标明 UTF-8，是按 {encoding} 读取的，可能不对：请用 UTF-8 或纯字母的文件名重新打包图片。",
        "zip 檔裡的名稱 {name} 不能接受；它沒有標明 UTF-8，是按 {encoding} 讀取的，可能不對：請用 UTF-8 或純字母的檔名重新打包圖片。",
    ),
    "metadata_not_read": (
        "未读取 {name}；请把表格只存为 metadata.csv 或 metadata.jsonl 之一。",
        "未讀取 {name}；請把表格只存為 metadata.csv 或 metadata.jsonl 之一。",
    ),
    "not_pictures": (
        "这个文件不是图片的 zip 文件（{detail}）；请给一个装有 PNG 图片、至多一个元数据文件的 zip 文件。",
        "這個檔案不是圖片的 zip 檔（{detail}）；請給一個裝有 PNG 圖片、至多一個中繼資料檔的 zip 檔。",
    ),
    "no_decoder": (
        "图片解码程序无法启动（{detail}）；请腾出一些内存，或重新启动。",
        "圖片解碼程式無法啟動（{detail}）；請騰出一些記憶體，或重新啟動。",
    ),
    "hub_no_pictures": (
        "{name} 的各列（{known}）中没有图片列；请换一个数据集。",
        "{name} 的各欄（{known}）中沒有圖片欄；請換一個資料集。",
    ),
    # models that write, and the Hub
    "hub_name": (
        "{name} 没有说清是哪个模型；请写 hf:owner/name@commit，commit 须写全 40 位。",
        "{name} 沒有說清是哪個模型；請寫 hf:owner/name@commit，commit 須寫全 40 位。",
    ),
    "prompt_too_long": (
        "提示有 {got} 个词元，{model} 最多读 {limit} 个；请缩短。",
        "提示有 {got} 個詞元，{model} 最多讀 {limit} 個；請縮短。",
    ),
    "prompt_far_too_long": (
        "提示有 {got} 个字符，{model} 最多读 {limit} 个；请缩短。",
        "提示有 {got} 個字元，{model} 最多讀 {limit} 個；請縮短。",
    ),
    "no_mask": (
        "这段文字里没有 {mask}；请在要让 {model} 猜词的地方写上 {mask}。",
        "這段文字裡沒有 {mask}；請在要讓 {model} 猜詞的地方寫上 {mask}。",
    ),
    "not_on_ours": (
        "{name} 不能在我们自己的网络上运行；请选 gpt2 或 distilgpt2。",
        "{name} 不能在我們自己的網路上執行；請選 gpt2 或 distilgpt2。",
    ),
    "not_finite": (
        "{model} 给出的数不是有限数，权重已损坏；请换一个模型。",
        "{model} 給出的數不是有限數，權重已損壞；請換一個模型。",
    ),
    "not_reachable": (
        "{name} 不在本机，也连不上 Hub；请在有网络处运行 `python -m aigc_demo fetch {name}`，用 HF_ENDPOINT 指定镜像站，或换一个模型。",
        "{name} 不在本機，也連不上 Hub；請在有網路處執行 `python -m aigc_demo fetch {name}`，用 HF_ENDPOINT 指定鏡像站，或換一個模型。",
    ),
    "hub_address": (
        "环境变量 HF_ENDPOINT 不是 Hub 或镜像站的地址；请写出完整的网址（例如以 https 开头的镜像站地址），或删去该变量。",
        "環境變數 HF_ENDPOINT 不是 Hub 或鏡像站的位址；請寫出完整的網址（例如以 https 開頭的鏡像站位址），或刪去該變數。",
    ),
    "hub_proxy": (
        "连不上 Hub，且环境变量 {variable} 所写的代理不可用；请写成主机名加端口，如 proxy.example.edu:8080（不支持 SOCKS 代理），或删去该变量。",
        "連不上 Hub，且環境變數 {variable} 所寫的代理不可用；請寫成主機名稱加連接埠，如 proxy.example.edu:8080（不支援 SOCKS 代理），或刪去該變數。",
    ),
    "root_path": (
        "GRADIO_ROOT_PATH 是 {name}；请给出 /demo 这样的路径，或以 https 开头的完整地址。",
        "GRADIO_ROOT_PATH 是 {name}；請給出 /demo 這樣的路徑，或以 https 開頭的完整位址。",
    ),
    "server_name": (
        "环境变量 GRADIO_SERVER_NAME 为 {name}，它不是本机的地址；请给出本机的地址。",
        "環境變數 GRADIO_SERVER_NAME 為 {name}，它不是本機的位址；請給出本機的位址。",
    ),
    "hub_proxy_silent": (
        "通过环境变量 {variable} 指定的代理连不上 Hub；请检查代理是否在运行、是否允许本机访问外网，或删去该变量。",
        "透過環境變數 {variable} 指定的代理連不上 Hub；請檢查代理是否在執行、是否允許本機連到外網，或刪去該變數。",
    ),
    "not_on_hub": (
        "Hub 上没有 commit 为 {revision} 的模型 {location}；请检查名称和 commit。",
        "Hub 上沒有 commit 為 {revision} 的模型 {location}；請檢查名稱和 commit。",
    ),
    "not_in_safetensors": (
        "{name} 没有 safetensors 格式的权重（pickle 可执行代码，一律不读）；请换一个模型。",
        "{name} 沒有 safetensors 格式的權重（pickle 可執行程式碼，一律不讀）；請換一個模型。",
    ),
    "fetch_broke_off": (
        "下载 {name} 中断（{detail}）；请再运行 `python -m aigc_demo fetch {name}`。",
        "下載 {name} 中斷（{detail}）；請再執行 `python -m aigc_demo fetch {name}`。",
    ),
    # checkpoints and model folders
    "broken_model": (
        "{path} 中没有可载入的模型（{detail}）；请换一个文件夹，或重新训练。",
        "{path} 中沒有可載入的模型（{detail}）；請換一個資料夾，或重新訓練。",
    ),
    "foreign_model": (
        "{path} 中是另一类模型（{detail}）；请选一个{expected}的模型。",
        "{path} 中是另一類模型（{detail}）；請選一個{expected}的模型。",
    ),
    "broken_checkpoint": (
        "检查点 {path} 不完整（{detail}）；请删除它，从前一个继续。",
        "檢查點 {path} 不完整（{detail}）；請刪除它，從前一個繼續。",
    ),
    "folder_exists": ("{path} 已经存在；请另选文件夹。", "{path} 已經存在；請另選資料夾。"),
    "no_checkpoint": (
        "训练 {name} 在第 {step} 步没有完整的检查点；请选其中之一：{known}。",
        "訓練 {name} 在第 {step} 步沒有完整的檢查點；請選其中之一：{known}。",
    ),
    # pushing a model to the Hub
    "no_token": (
        "环境中没有 Hub 的令牌；请把 HF_TOKEN 设为有写入权限的令牌，再重新启动。",
        "環境中沒有 Hub 的權杖；請把 HF_TOKEN 設為有寫入權限的權杖，再重新啟動。",
    ),
    "push_closed": (
        "本页是一个 Space，任何访客都会用其所有者的令牌推送，因此不推送；"
        "请下载模型文件夹，或在只有自己能打开时设置 AIGC_DEMO_PUSH=1。",
        "本頁是一個 Space，任何訪客都會用其擁有者的權杖推送，因此不推送；"
        "請下載模型資料夾，或在只有自己能開啟時設定 AIGC_DEMO_PUSH=1。",
    ),
    "repository_name": (
        "{name} 不是仓库名；请写成 owner/name，只用字母、数字、-、_ 和 .。",
        "{name} 不是儲存庫名稱；請寫成 owner/name，只用字母、數字、-、_ 和 .。",
    ),
    "token_refused": (
        "Hub 不认得 HF_TOKEN 中的令牌；请新建一个有写入权限的令牌并设置。",
        "Hub 不認得 HF_TOKEN 中的權杖；請新建一個有寫入權限的權杖並設定。",
    ),
    "push_forbidden": (
        "HF_TOKEN 中的令牌不能写入 {name}；请选令牌所有者的仓库，或换一个有写入权限的令牌。",
        "HF_TOKEN 中的權杖不能寫入 {name}；請選權杖擁有者的儲存庫，或換一個有寫入權限的權杖。",
    ),
    "push_public": (
        "{name} 已在 Hub 上，且人人可见；请另选名称，或用 `python -m aigc_demo push` 加 --public 推送。",
        "{name} 已在 Hub 上，且人人可見；請另選名稱，或用 `python -m aigc_demo push` 加 --public 推送。",
    ),
    "push_not_reachable": (
        "连不上 Hub，什么也没有推送；请在有网络处再试。",
        "連不上 Hub，什麼也沒有推送；請在有網路處再試。",
    ),
    "push_broke_off": (
        "推送到 {name} 时中断（{detail}）；请再推送一次。",
        "推送到 {name} 時中斷（{detail}）；請再推送一次。",
    ),
    # run directories
    "run_exists": (
        "{path} 中已有一次训练；加 --resume 可继续，或另选 --run-dir。",
        "{path} 中已有一次訓練；加 --resume 可繼續，或另選 --run-dir。",
    ),
    "run_busy": (
        "{path} 中另有一个进程正在训练；请先停止它，或另选 --run-dir。",
        "{path} 中另有一個行程正在訓練；請先停止它，或另選 --run-dir。",
    ),
    "run_trained_by": (
        "{path} 中另有一个进程（编号 {pid}）正在训练；请先停止它，或另选 --run-dir。",
        "{path} 中另有一個行程（編號 {pid}）正在訓練；請先停止它，或另選 --run-dir。",
    ),
    "no_run": (
        "{path} 中没有可继续的训练；去掉 --resume 可新开一次。",
        "{path} 中沒有可繼續的訓練；去掉 --resume 可新開一次。",
    ),
    "more_steps": (
        "{path} 中的训练把 {spread} 分布在 {old} {unit} 上，续到 {new} 就不再是同一次训练；"
        "请用 --init {path} 和另一个 --run-dir 从它的模型开始新的训练。",
        "{path} 中的訓練把 {spread} 分布在 {old} {unit} 上，續到 {new} 就不再是同一次訓練；"
        "請用 --init {path} 和另一個 --run-dir 從它的模型開始新的訓練。",
    ),
    "resume_differs": (
        "{path} 中的训练开始时 {name} = {old}，不是 {new}；请用原来的值继续。",
        "{path} 中的訓練開始時 {name} = {old}，不是 {new}；請用原來的值繼續。",
    ),
    "cannot_print": (
        "有内容无法输出（{detail}）；请腾出空间，或输出到别处。",
        "有內容無法輸出（{detail}）；請騰出空間，或輸出到別處。",
    ),
    "cannot_write": (
        "无法写入 {path}（{detail}）；请换一个目录，或腾出空间。",
        "無法寫入 {path}（{detail}）；請換一個目錄，或騰出空間。",
    ),
    # training
    "too_little_text": (
        "文本只有 {got} 个词元，不够 {context_length} 的上下文；请给更长的文本，或把 context_length 设为 {possible} 以下。",
        "文字只有 {got} 個詞元，不夠 {context_length} 的上下文；請給更長的文字，或把 context_length 設為 {possible} 以下。",
    ),
    "too_little_text_at_all": (
        "文本只有 {got} 个词元，不够训练和验证；请给更长的文本。",
        "文字只有 {got} 個詞元，不夠訓練和驗證；請給更長的文字。",
    ),
    "steps_or_minutes": (
        "--steps 与 --minutes 请给且只给一个。",
        "--steps 與 --minutes 請給且只給一個。",
    ),
    "batch_not_shared": (
        "batch_size {batch_size} 不能平分为 {shares} 份（进程数乘 gradient_accumulation_steps）；"
        "请选 {shares} 的倍数。",
        "batch_size {batch_size} 不能平分為 {shares} 份（處理程序數乘 gradient_accumulation_steps）；"
        "請選 {shares} 的倍數。",
    ),
    "fsdp_version": (
        "这里只能用 FSDP 的第 2 版训练；请在 accelerate 的配置中写 fsdp_version: 2。",
        "這裡只能用 FSDP 的第 2 版訓練；請在 accelerate 的設定中寫 fsdp_version: 2。",
    ),
    "no_tracker": (
        "没有安装 {name}；请运行 `python -m pip install {name}`，或不用 --track。",
        "沒有安裝 {name}；請執行 `python -m pip install {name}`，或不用 --track。",
    ),
    "tracker_failed": (
        "{name} 出错，不再接收数据（{detail}）；训练继续，其自身的记录完整。",
        "{name} 出錯，不再接收資料（{detail}）；訓練繼續，其自身的紀錄完整。",
    ),
    "unknown_tokens": (
        "{source} 的词元中有 {share} % 不在 {model} 的词表里，模型学不到它们；"
        "请去掉 --init，或给出由它认识的字和词写成的文本。",
        "{source} 的詞元中有 {share} % 不在 {model} 的詞表裡，模型學不到它們；"
        "請去掉 --init，或給出由它認識的字和詞寫成的文字。",
    ),
    "other_processes": (
        "此次训练改用 {new} 个进程继续，而不是 {old} 个：数据行和批次相同，但求和的舍入和 dropout 的随机数不同，"
        "所以损失与不间断的训练相近而不相等。",
        "此次訓練改用 {new} 個處理程序繼續，而不是 {old} 個：資料列和批次相同，但求和的捨入和 dropout 的隨機數不同，"
        "所以損失與不間斷的訓練相近而不相等。",
    ),
    "init_differs": (
        "{path} 的 {name} = {old}，不是 {new}；去掉这项设置即可从它继续。",
        "{path} 的 {name} = {old}，不是 {new}；去掉這項設定即可從它繼續。",
    ),
    "data_changed": (
        "{source} 的数据与 {path} 里那次训练开始时不同（比较的是内容，不是位置）；请换回原来的数据，或用 --init 开始新的训练。",
        "{source} 的資料與 {path} 裡那次訓練開始時不同（比較的是內容，不是位置）；請換回原來的資料，或用 --init 開始新的訓練。",
    ),
    "unexpected": (
        "出了不该出的错（{detail}）；详情见日志 {path}。",
        "出了不該出的錯（{detail}）；詳情見日誌 {path}。",
    ),
    # the desk where trainings are ordered
    "training_off": (
        "这台服务器关闭了训练；想训练的话，请复制本项目，或在自己的电脑上运行。",
        "這台伺服器關閉了訓練；想訓練的話，請複製本專案，或在自己的電腦上執行。",
    ),
    "unknown_run": (
        "没有名为 {name} 的训练；列表中是现有的训练。",
        "沒有名為 {name} 的訓練；列表中是現有的訓練。",
    ),
    "not_your_run": (
        "训练 {name} 是别人开始的；可以旁观，或自己新开一次。",
        "訓練 {name} 是別人開始的；可以旁觀，或自己新開一次。",
    ),
    "run_under_way": ("训练 {name} 尚未结束；请先停止它。", "訓練 {name} 尚未結束；請先停止它。"),
    "nothing_to_resume": (
        "训练 {name} 在第一个检查点之前就结束了；请新开一次。",
        "訓練 {name} 在第一個檢查點之前就結束了；請新開一次。",
    ),
    "too_many_runs": (
        "您已有 {count} 次训练正在进行或排队；请停止其中一次，或等其中一次结束。",
        "您已有 {count} 次訓練正在進行或排隊；請停止其中一次，或等其中一次結束。",
    ),
    "too_many_calls": ("已有 {count} 个请求在排队，请稍后再试。", "已有 {count} 個請求在排隊，請稍後再試。"),
    "too_many_calls_of_one": (
        "您所在的网络已有 {count} 个请求正在处理；请等其中一个结束。",
        "您所在的網路已有 {count} 個請求正在處理；請等其中一個結束。",
    ),
    "nobody_read": (
        "这次请求的结果没有人读取，而另一个请求在等待；请重新请求并及时读取。",
        "這次請求的結果沒有人讀取，而另一個請求在等待；請重新請求並及時讀取。",
    ),
    "queue_full": (
        "已有 {count} 次训练在排队；请等其中几次结束后再试。",
        "已有 {count} 次訓練在排隊；請等其中幾次結束後再試。",
    ),
    "too_many_runs_of_network": (
        "您所在的网络已有 {count} 次训练正在进行或排队；请等其中一次结束。",
        "您所在的網路已有 {count} 次訓練正在進行或排隊；請等其中一次結束。",
    ),
    "run_minutes": (
        "这里每次训练最多 {limit} 分钟；请减少时间。",
        "這裡每次訓練最多 {limit} 分鐘；請減少時間。",
    ),
    "minutes_used": (
        "您所在的网络在 24 小时内可训练 {limit} 分钟，还剩 {left} 分钟；请减少时间，或稍后再来。",
        "您所在的網路在 24 小時內可訓練 {limit} 分鐘，還剩 {left} 分鐘；請減少時間，或稍後再來。",
    ),
    "minutes_waiting": (
        "正在进行或排队的训练共需 {minutes} 分钟；请等其中几次结束后再试。",
        "正在進行或排隊的訓練共需 {minutes} 分鐘；請等其中幾次結束後再試。",
    ),
    "run_needs_disk": (
        "这次训练将占用 {needed} MiB 磁盘，而这里每次限 {limit} MiB；请选更小的模型或更少的检查点。",
        "這次訓練將佔用 {needed} MiB 磁碟，而這裡每次限 {limit} MiB；請選更小的模型或更少的檢查點。",
    ),
    "run_disk_full": (
        "这次训练已占用 {used} MiB 磁盘，超过了允许的 {limit} MiB；已有的检查点都完整。",
        "這次訓練已佔用 {used} MiB 磁碟，超過了允許的 {limit} MiB；已有的檢查點都完整。",
    ),
    "disk_budget": (
        "您的训练已占用 {used} MiB，这一次最多还需 {needed} MiB，每位访客限 {limit} MiB；请删除其中一次。",
        "您的訓練已佔用 {used} MiB，這一次最多還需 {needed} MiB，每位訪客限 {limit} MiB；請刪除其中一次。",
    ),
    "disk_of_network": (
        "您所在网络的训练已占用 {used} MiB，这一次最多还需 {needed} MiB，限 {limit} MiB；请删除您的一次训练。",
        "您所在網路的訓練已佔用 {used} MiB，這一次最多還需 {needed} MiB，限 {limit} MiB；請刪除您的一次訓練。",
    ),
    "disk_of_all": (
        "所有训练已占用 {used} MiB，这一次最多还需 {needed} MiB，共有 {limit} MiB；请删除您的一次训练，或稍后再试。",
        "所有訓練已佔用 {used} MiB，這一次最多還需 {needed} MiB，共有 {limit} MiB；請刪除您的一次訓練，或稍後再試。",
    ),
    "no_such_network": (
        "这些设置组不成 {recipe} 的网络；请更改其中一项，例如各种尺寸。",
        "這些設定組不成 {recipe} 的網路；請更改其中一項，例如各種尺寸。",
    ),
    "uploads_of_network": (
        "您所在的网络一小时内可上传 {limit} MiB，已上传 {used} MiB；请稍后再试。",
        "您所在的網路一小時內可上傳 {limit} MiB，已上傳 {used} MiB；請稍後再試。",
    ),
    "uploads_of_all": (
        "一小时内总共可上传 {limit} MiB，已用 {used} MiB；请稍后再试。",
        "一小時內總共可上傳 {limit} MiB，已用 {used} MiB；請稍後再試。",
    ),
    "disk_slow": (
        "存放训练的磁盘暂时没有响应，请过一分钟再试。",
        "存放訓練的磁碟暫時沒有回應，請過一分鐘再試。",
    ),
    "other_desk": (
        "另一个服务器正在管理 {path} 中的训练；请结束它，或给本服务器另一个文件夹。",
        "另一個伺服器正在管理 {path} 中的訓練；請結束它，或給本伺服器另一個資料夾。",
    ),
    "nothing_to_write": (
        "还没有可以续写的训练；请先开始一个。",
        "還沒有可以續寫的訓練；請先開始一個。",
    ),
    "nothing_to_export": (
        "训练 {name} 还没有检查点；请等第一个检查点。",
        "訓練 {name} 還沒有檢查點；請等第一個檢查點。",
    ),
    "not_an_export": (
        "这个文件不是导出的训练（{detail}）；请给出“下载训练”得到的 zip 文件。",
        "這個檔案不是匯出的訓練（{detail}）；請給出「下載訓練」得到的 zip 檔案。",
    ),
    "loss_not_finite": (
        "在第 {step} 步损失不再是数；最后一个检查点是好的。请用较小的 learning_rate 新开一次。",
        "在第 {step} 步損失不再是數；最後一個檢查點是好的。請用較小的 learning_rate 新開一次。",
    ),
    "worker_silent": (
        "训练 {seconds} 秒没有动静，已被结束；请继续它。",
        "訓練 {seconds} 秒沒有動靜，已被結束；請繼續它。",
    ),
    "worker_killed": (
        "训练被外部终止，或内存不足；请继续它，若再次发生请减小 batch_size。",
        "訓練被外部終止，或記憶體不足；請繼續它，若再次發生請減小 batch_size。",
    ),
    "upload_gone": (
        "上传的文件已不在这里（只保留一小时）；请重新上传。",
        "上傳的檔案已不在這裡（只保留一小時）；請重新上傳。",
    ),
    "cannot_start": (
        "这次训练无法启动：系统不接受这样的命令；请重新提交。",
        "這次訓練無法啟動：系統不接受這樣的命令；請重新提交。",
    ),
    "worker_vanished": (
        "训练无声地结束了，也许是机器停了；请继续它。",
        "訓練無聲地結束了，也許是機器停了；請繼續它。",
    ),
    "out_of_memory": (
        "内存不足；请减小 batch_size 或模型。",
        "記憶體不足；請減小 batch_size 或模型。",
    ),
    "model_needs_memory": (
        "{name} 大约需要 {needed} MiB 内存，而这台机器上一个模型最多可用 {limit} MiB；请选一个更小的模型。",
        "{name} 大約需要 {needed} MiB 記憶體，而這台機器上一個模型最多可用 {limit} MiB；請選一個更小的模型。",
    ),
    "outside_link": (
        "{path} 里有指向文件夹之外的链接（{detail}）；请给出存放文件本身的文件夹。",
        "{path} 裡有指向資料夾之外的連結（{detail}）；請給出存放檔案本身的資料夾。",
    ),
    "gpu_not_given": (
        "没有分到 GPU（{detail}）；请稍后再试，或选一个自研模型，它不需要 GPU。",
        "沒有分到 GPU（{detail}）；請稍後再試，或選一個自研模型，它不需要 GPU。",
    ),
    "needs_memory": (
        "这次训练至少需要 {needed} MiB 内存，比现有的 {limit} MiB 多 {over} MiB；请减小 batch_size 或模型。",
        "這次訓練至少需要 {needed} MiB 記憶體，比現有的 {limit} MiB 多 {over} MiB；"
        "請減小 batch_size 或模型。",
    ),
    "needs_disk": (
        "检查点需要 {needed} MiB，而 {path} 只剩 {free} MiB；请减小模型，或换一个目录。",
        "檢查點需要 {needed} MiB，而 {path} 只剩 {free} MiB；請減小模型，或換一個目錄。",
    ),
    "preflight_too_slow": (
        "{seconds} 秒后试训仍未做完那几步；请减小 batch_size 或模型。",
        "{seconds} 秒後試訓仍未做完那幾步；請減小 batch_size 或模型。",
    ),
    # the page
    "text_too_long": (
        "{name} 有 {got} 个字符；请最多给 {limit} 个。",
        "{name} 有 {got} 個字元；請最多給 {limit} 個。",
    ),
    "text_not_unicode": (
        "{name} 含有不成对的半个字符；请以纯文本重新粘贴。",
        "{name} 含有不成對的半個字元；請以純文字重新貼上。",
    ),
    "text_empty": ("没有可测量的文字；请粘贴一段。", "沒有可測量的文字；請貼上一段。"),
    "no_upload": ("还没有选文件；请先选一个。", "還沒有選檔案；請先選一個。"),
    "no_such_token": (
        "这里没有第 {got} 个词元；共有 {count} 个。",
        "這裡沒有第 {got} 個詞元；共有 {count} 個。",
    ),
    "token_not_in_vocabulary": (
        "词元 {got} 不在 {model} 的词表中，词表共 {count} 个。",
        "詞元 {got} 不在 {model} 的詞表中，詞表共 {count} 個。",
    ),
    "no_attention": (
        "{model} 不给出注意力；请选一个我们自己的模型。",
        "{model} 不給出注意力；請選一個我們自己的模型。",
    ),
    "game_put_away": (
        "您的对局已被收起：{minutes} 分钟没有操作，或有 {limit} 位其他访客要玩；请按“新的对局”。",
        "您的對局已被收起：{minutes} 分鐘沒有操作，或有 {limit} 位其他訪客要玩；請按「新的對局」。",
    ),
    "game_too_long": (
        "一场对局至多 {limit} 步；请按“新的对局”。",
        "一場對局至多 {limit} 步；請按「新的對局」。",
    ),
    "game_not_finite": (
        "第 {step} 步之后，数值已不是有限数；请按“新的对局”，并选较小的学习率。",
        "第 {step} 步之後，數值已不是有限數；請按「新的對局」，並選較小的學習率。",
    ),
    "still_writing": (
        "上一次要的还没有做完；请按“停止”，或等它完成。",
        "上一次要的還沒有做完；請按「停止」，或等它完成。",
    ),
    "nothing_generated": ("还没有文字；请先按“生成”。", "還沒有文字；請先按「生成」。"),
    "column_failed": (
        "{model} 意外失败，详情见服务器日志；请再试一次，或换一个模型。",
        "{model} 意外失敗，詳情見伺服器日誌；請再試一次，或換一個模型。",
    ),
}

SENTENCES |= GAN_SENTENCES

# What stands in {expected}: short English phrases. Those that are not here stay as they are.
_PHRASES: tuple[tuple[str, tuple[str, str]], ...] = (
    (r"a list", ("列表", "列表")),
    (r"a list of token ids", ("词元编号的列表", "詞元編號的列表")),
    (r"a list of 1 to (\d+) seeds", ("含 1 到 {0} 个种子的列表", "含 1 到 {0} 個種子的列表")),
    (r"a list of 1 to (\d+) PNG pictures", ("含 1 到 {0} 张 PNG 图片的列表", "含 1 到 {0} 張 PNG 圖片的列表")),
    (r"a list of 1 to (\d+) models", ("含 1 到 {0} 个模型的列表", "含 1 到 {0} 個模型的列表")),
    (r"a list of (\d+), one for each model", ("含 {0} 项的列表，每个模型一项", "含 {0} 項的列表，每個模型一項")),
    (r"a list of 1 to (\d+) runs", ("含 1 到 {0} 次训练的列表", "含 1 到 {0} 次訓練的列表")),
    (r"true or false", ("“是”或“否”（true 或 false）", "「是」或「否」（true 或 false）")),
    (r"a number", ("一个数", "一個數")),
    (r"a whole number", ("整数", "整數")),
    (r"a whole number from (\d+) to (\d+)", ("{0} 到 {1} 的整数", "{0} 到 {1} 的整數")),
    (r"text", ("文本", "文字")),
    (r"pictures", ("图片", "圖片")),
    (r"a list of some of (.*)", ("以下若干项的列表：{0}", "以下若干項的列表：{0}")),
    (r"one of (.*)", ("是以下之一：{0}", "是以下之一：{0}")),
    (r"at least ([^ ]*)", ("不小于 {0}", "不小於 {0}")),
    (r"at most ([^ ]*)", ("不大于 {0}", "不大於 {0}")),
    (r"at most (\d+) long", ("至多 {0} 个长", "至多 {0} 個長")),
    (r"at most (\d+) texts of (\d+) to (\d+) characters", (
        "至多 {0} 段、每段 {1} 到 {2} 个字符", "至多 {0} 段、每段 {1} 到 {2} 個字元",
    )),
    (r"more than ([^ ]*)", ("大于 {0}", "大於 {0}")),
    (r"from (\d+) to (\d+)", ("在 {0} 到 {1} 之间", "在 {0} 到 {1} 之間")),
)  # fmt: skip


def text(key: str, language: str, **values: Any) -> str:
    """A text of the page in one language, its markers filled."""
    return WORDS[key][LANGUAGES.index(language)].format(**values)


def everywhere(key: str, **values: Any) -> dict[str, str]:
    """A text of the page in all languages; the browser shows the one that is switched on."""
    return {language: text(key, language, **values) for language in LANGUAGES}


def sentence(key: str, values: Mapping[str, Any], language: str) -> str:
    """The sentence of an error, in the language of its reader and without paths of this machine."""
    values = public_values(values)
    if language == "en" or key not in SENTENCES:
        return ENGLISH[key].format(**values)
    column = LANGUAGES.index(language) - 1
    shown = {name: _phrase(value, column) if name == "expected" else value for name, value in values.items()}
    return SENTENCES[key][column].format(**shown)


def sentence_everywhere(key: str, values: Mapping[str, Any]) -> dict[str, str]:
    """The sentence of an error in all languages."""
    return {language: sentence(key, values, language) for language in LANGUAGES}


def _phrase(value: Any, column: int) -> Any:
    for pattern, translated in _PHRASES:
        found = re.fullmatch(pattern, str(value), re.DOTALL)
        if found:
            return translated[column].format(*found.groups())
    return value
