"""The words of the tab Train: ordering, watching, keeping and comparing runs."""

from aigc_demo.core.languages import Row

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

TRAIN_WORDS: dict[str, Row] = {
    # ordering
    "tab_train": ("📈 Train", "📈 训练", "📈 訓練"),
    "train_intro": (
        "Train a model from scratch and watch it learn. The run goes on when this page is closed.",
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
        "They may watch it and use its model; the files are yours alone. A model can reproduce parts of its training text.",
        "他们可以观看训练并使用其模型；文件只归您。模型可能原样输出训练文本的片段。",
        "他們可以觀看訓練並使用其模型；檔案只歸您。模型可能原樣輸出訓練文字的片段。",
    ),
    "recipe": ("Recipe", "配方", "配方"),
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
    "amount": ("How many", "数量", "數量"),
    "start": ("Start", "开始", "開始"),
    "go_on_from": ("Initial weights", "初始权重", "初始權重"),
    "from_nothing": ("random, from scratch", "随机，从零开始", "隨機，從零開始"),
    "trial": ("Estimate time and memory", "估算时间与内存", "估算時間與記憶體"),
    "trial_begins": (
        "Running a few steps; this takes about ten seconds.",
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
    "source_drawn": ("Tiny world: small pictures", "小世界：小图片", "小世界：小圖片"),
    "source_own_pictures": ("Pictures of your own", "自己的图片", "自己的圖片"),
    "own_pictures_zip": (
        "Zip file of PNG pictures, up to 64 MB",
        "PNG 图片的 zip 文件，最大 64 MB",
        "PNG 圖片的 zip 檔，最大 64 MB",
    ),
    "trial_tokens_per_second": ("Tokens per second", "每秒词元数", "每秒詞元數"),
    "trial_pictures_per_second": ("Pictures per second", "每秒图片数", "每秒圖片數"),
    # watching
    "runs": ("Run", "训练记录", "訓練紀錄"),
    "logarithmic": ("Logarithmic", "对数刻度", "對數刻度"),
    "resume": ("Resume", "继续训练", "繼續訓練"),
    "download": ("Download the run", "下载训练", "下載訓練"),
    "delete": ("Delete", "删除", "刪除"),
    "exported": ("File to keep (zip)", "可保存的文件（zip）", "可儲存的檔案（zip）"),
    "more_curves": ("📐 More curves", "📐 更多曲线", "📐 更多曲線"),
    "step": ("Step", "步", "步"),
    "run_command": ("The same in a terminal", "在终端中做同样的事", "在終端機中做同樣的事"),
    "run_copy": ("Copy", "复制", "複製"),
    "run_copied": ("Copied", "已复制", "已複製"),
    "run_details": (
        "Model, machine, and preprocessing of the text",
        "模型、机器与文本预处理",
        "模型、機器與文字前處理",
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
    "minutes_seconds": (
        "{minutes} min {seconds} s",
        "{minutes} 分 {seconds} 秒",
        "{minutes} 分 {seconds} 秒",
    ),
    "hours_minutes": ("{hours} h {minutes} min", "{hours} 时 {minutes} 分", "{hours} 時 {minutes} 分"),
    "run_fact_num_parameters": ("Parameters", "参数量", "參數量"),
    "run_fact_train_tokens": ("Training tokens", "训练词元数", "訓練詞元數"),
    "run_fact_vocab_size": ("Vocabulary size", "词表大小", "詞表大小"),
    "run_fact_processor": ("Processor", "处理器", "處理器"),
    "run_fact_threads": ("Threads", "线程数", "執行緒數"),
    "run_fact_accelerator": ("Accelerator", "加速器", "加速器"),
    "prepare_read": ("Read", "读入", "讀入"),
    "prepare_encoding": ("Encoding of the file", "文件编码", "檔案編碼"),
    "prepare_clean": ("Cleaned", "清理", "清理"),
    "prepare_drop_lines": ("Lines dropped", "去除行", "去除行"),
    "prepare_split": ("Split off for validation", "划出验证部分", "劃出驗證部分"),
    "prepare_tokenise": ("Tokenized", "分词", "分詞"),
    "prepare_encode": ("Encoded as token ids", "编码为词元编号", "編碼為詞元編號"),
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
    "prepare_pairs": ("Paired with answers", "配成“文本与回答”对", "配成「文字與回答」對"),
    "prepared_pairs": (
        "{kept} pairs kept, {dropped} dropped",
        "保留 {kept} 对，去掉 {dropped} 对",
        "保留 {kept} 對，去掉 {dropped} 對",
    ),
    "samples_title": ("Samples of generated text", "样本：生成的文字", "樣本：生成的文字"),
    "samples_step": ("Step {step}", "第 {step} 步", "第 {step} 步"),
    "samples_empty": (
        "At each checkpoint the model generates a text here, from the same prompt and seed.",
        "每到一个检查点，模型都会用同样的提示和种子在这里生成一段文字。",
        "每到一個檢查點，模型都會用同樣的提示和種子在這裡生成一段文字。",
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
    "run_details_pictures": (
        "Networks, machine, and preprocessing of the pictures",
        "网络、机器与图片预处理",
        "網路、機器與圖片前處理",
    ),
    "run_fact_generator_parameters": ("Of the generator", "其中生成器", "其中生成器"),
    "run_fact_discriminator_parameters": ("Of the discriminator", "其中判别器", "其中判別器"),
    "run_fact_train_pictures": ("Training pictures", "训练图片数", "訓練圖片數"),
    "run_fact_validation_pictures": ("Validation pictures", "验证图片数", "驗證圖片數"),
    "run_fact_num_modes": ("Kinds of pictures", "图片种类数", "圖片種類數"),
    "prepared_pictures": (
        "{kept} pictures kept, {dropped} dropped",
        "保留 {kept} 张图片，去掉 {dropped} 张",
        "保留 {kept} 張圖片，去掉 {dropped} 張",
    ),
    "run_pictures_title": ("Samples of generated pictures", "样本：生成的图片", "樣本：生成的圖片"),
    "run_pictures_empty": (
        "At each checkpoint the model draws something here, from the same noise.",
        "每到一个检查点，模型都会用同样的噪声在这里画一些图片。",
        "每到一個檢查點，模型都會用同樣的雜訊在這裡畫一些圖片。",
    ),
    # back through the checkpoints
    "scrub_title": ("Checkpoints of the run", "各个检查点", "各個檢查點"),
    "scrub_slider": ("Checkpoint", "检查点", "檢查點"),
    "scrub_empty": (
        "After the first checkpoint, a slider appears here to go back through the run.",
        "有了检查点之后，这里会出现滑块，可以回看训练过程。",
        "有了檢查點之後，這裡會出現滑桿，可以回看訓練過程。",
    ),
    "scrub_beside": ("Compare with", "并排比较", "並排比較"),
    "scrub_alone": ("no other model", "不比较", "不比較"),
    "scrub_write": ("Generate with this checkpoint", "用此检查点续写", "用此檢查點續寫"),
    "scrub_fill": ("Fill in with this checkpoint", "用此检查点填词", "用此檢查點填詞"),
    "scrub_fill_placeholder": (
        "A text with <mask> in the place of each word that the model is to predict.",
        "一段文字，把要模型预测的每个词换成 <mask>。",
        "一段文字，把要模型預測的每個詞換成 <mask>。",
    ),
    "scrub_answer": ("Answer with this checkpoint", "用此检查点回答", "用此檢查點回答"),
    "scrub_answer_placeholder": (
        "A line of a poem; or a question, and below it the story that it is about.",
        "一句诗；或者一个问题，下一行起写它所问的故事。",
        "一句詩；或者一個問題，下一行起寫它所問的故事。",
    ),
    "scrub_at": ("{run}, step {step}", "{run}，第 {step} 步", "{run}，第 {step} 步"),
    "notice_started": ("Queued: {name}", "已排队：{name}", "已排隊：{name}"),
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
    "notice_uploaded": ("Imported: {name}", "已导入：{name}", "已匯入：{name}"),
    "scrub_draw": ("Generate with this checkpoint", "用此检查点生成", "用此檢查點生成"),
    "scrub_kept": (
        "Step {step}, from the fixed noise of the training",
        "第 {step} 步，训练中固定的噪声",
        "第 {step} 步，訓練中固定的雜訊",
    ),
    "scrub_new": ("New pictures, seed {seed}", "新图片，种子 {seed}", "新圖片，種子 {seed}"),
    # keeping and comparing
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
    "upload_run": ("📦 Import a run", "📦 导入训练", "📦 匯入訓練"),
    "upload_intro": (
        "A zip file from “Download the run”, 64 MB at most. The run can be viewed, compared and used, but not resumed.",
        "“下载训练”得到的 zip 文件，最大 64 MB。可以查看、比较和使用，但不能继续训练。",
        "「下載訓練」得到的 zip 檔，最大 64 MB。可以檢視、比較和使用，但不能繼續訓練。",
    ),
    "upload": ("Upload", "上传", "上傳"),
    "compare_runs": ("⚖️ Compare runs", "⚖️ 比较多次训练", "⚖️ 比較多次訓練"),
    "compare_pick": ("Up to 6 runs", "最多 6 次训练", "最多 6 次訓練"),
    "compare_train": ("train, smoothed", "训练（平滑）", "訓練（平滑）"),
    "compare_caption": (
        "Results, and the settings that differ",
        "结果，以及不同的设置",
        "結果，以及不同的設定",
    ),
    # what the page explains
    "help_processes_title": ("🖥️ Several GPUs or machines", "🖥️ 多块 GPU 或多台机器", "🖥️ 多張 GPU 或多台機器"),
    "help_processes": (
        _PROCESSES.format(
            ddp="The page trains in one process. In a terminal the same recipe runs on several GPUs or machines, with "
            "the loss curve of one process, through accelerate, an existing library. "
            "Each GPU holds the whole model (DDP):",
            fsdp="A model too large for one GPU is sharded over several (FSDP):",
            machines="On several machines: the same command on each, with `--machine_rank 1` on the second and so "
            "on; the text and the run directory on a disk that all of them see:",
            cpu="Two processes without a GPU:",
            end="`batch_size` counts the rows of all processes together and must be a multiple of their number. "
            "Checkpoints are the same in all cases: with `--resume`, one process or another number of them "
            "goes on.",
        ),
        _PROCESSES.format(
            ddp="本页在一个进程中训练。在终端里，同一配方可借助现成的库 accelerate "
            "在多块 GPU 或多台机器上运行，损失曲线与一个进程的相同。"
            "每块 GPU 都有完整的模型（DDP）：",
            fsdp="模型大到一块 GPU 放不下时，分片放在多块 GPU 上（FSDP）：",
            machines="多台机器：每台运行同一命令，第二台用 `--machine_rank 1`，依此类推；文本和训练目录须在各台都能访问的磁盘上：",
            cpu="没有 GPU 时用两个进程：",
            end="`batch_size` 是所有进程合计的行数，必须是进程数的倍数。各种情况下的检查点都相同："
            "加 `--resume`，可以改用一个或另一个数目的进程继续。",
        ),
        _PROCESSES.format(
            ddp="本頁在一個處理程序中訓練。在終端機裡，同一配方可藉助現成的函式庫 accelerate "
            "在多張 GPU 或多台機器上執行，損失曲線與一個處理程序的相同。"
            "每張 GPU 都有完整的模型（DDP）：",
            fsdp="模型大到一張 GPU 放不下時，分片放在多張 GPU 上（FSDP）：",
            machines="多台機器：每台執行同一命令，第二台用 `--machine_rank 1`，依此類推；文字和訓練目錄須在各台都能存取的磁碟上：",
            cpu="沒有 GPU 時用兩個處理程序：",
            end="`batch_size` 是所有處理程序合計的列數，必須是處理程序數的倍數。各種情況下的檢查點都相同："
            "加 `--resume`，可以改用一個或另一個數目的處理程序繼續。",
        ),
    ),
}
