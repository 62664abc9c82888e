"""All wording of the page, in English, simplified Chinese and traditional Chinese.

A row of `WORDS` is one text in the three languages, in the order of `LANGUAGES`. The sentences of errors
stand in core/sentences. Markers (`{name}`) are the same in every language.
"""

import re
from collections.abc import Mapping
from typing import Any

from aigc_demo.core.files.public_paths import public_values
from aigc_demo.core.languages import LANGUAGES
from aigc_demo.core.sentences import SENTENCES
from aigc_demo.core.sentences.expected import EXPECTED
from aigc_demo.ui.words.gan import GAN_WORDS
from aigc_demo.ui.words.images import PICTURE_WORDS
from aigc_demo.ui.words.step_by_step import GAME_WORDS
from aigc_demo.ui.words.text_to_image import TEXT_TO_IMAGE_WORDS

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


def text(key: str, language: str, **values: Any) -> str:
    """A text of the page in one language, its markers filled."""
    return WORDS[key][LANGUAGES.index(language)].format(**values)


def everywhere(key: str, **values: Any) -> dict[str, str]:
    """A text of the page in all languages; the browser shows the one that is switched on."""
    return {language: text(key, language, **values) for language in LANGUAGES}


def sentence(key: str, values: Mapping[str, Any], language: str) -> str:
    """The sentence of an error, in the language of its reader and without paths of this machine."""
    column, shown = LANGUAGES.index(language), public_values(values)
    if "expected" in shown:
        shown["expected"] = _expected(shown["expected"], column)
    return SENTENCES[key][column].format(**shown)


def sentence_everywhere(key: str, values: Mapping[str, Any]) -> dict[str, str]:
    """The sentence of an error in all languages."""
    return {language: sentence(key, values, language) for language in LANGUAGES}


def _expected(phrase: Any, column: int) -> Any:
    """A phrase of the marker {expected} in the language of this column, where it has a row."""
    for english, *chinese in EXPECTED:
        if column and (found := re.fullmatch(english, str(phrase), re.DOTALL)):
            return chinese[column - 1].format(*found.groups())
    return phrase
