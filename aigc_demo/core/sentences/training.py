"""Training and its run directories."""

from aigc_demo.core.languages import Row

TRAINING_SENTENCES: dict[str, Row] = {
    # run directories
    "run_exists": (
        "{path} already holds a run; add --resume to go on with it, or choose another --run-dir.",
        "{path} 中已有一次训练；加 --resume 可继续，或另选 --run-dir。",
        "{path} 中已有一次訓練；加 --resume 可繼續，或另選 --run-dir。",
    ),
    "run_busy": (
        "In {path} another process is training; stop it first, or choose another --run-dir.",
        "{path} 中另有一个进程正在训练；请先停止它，或另选 --run-dir。",
        "{path} 中另有一個行程正在訓練；請先停止它，或另選 --run-dir。",
    ),
    "run_trained_by": (
        "In {path} another process is training (number {pid}); stop it first, or choose another --run-dir.",
        "{path} 中另有一个进程（编号 {pid}）正在训练；请先停止它，或另选 --run-dir。",
        "{path} 中另有一個行程（編號 {pid}）正在訓練；請先停止它，或另選 --run-dir。",
    ),
    "no_run": (
        "{path} holds no run to resume; leave --resume away to start one.",
        "{path} 中没有可继续的训练；去掉 --resume 可新开一次。",
        "{path} 中沒有可繼續的訓練；去掉 --resume 可新開一次。",
    ),
    "resume_differs": (
        "The run in {path} was started with {name} = {old}, not {new}; resume it with what it had.",
        "{path} 中的训练开始时 {name} = {old}，不是 {new}；请用原来的值继续。",
        "{path} 中的訓練開始時 {name} = {old}，不是 {new}；請用原來的值繼續。",
    ),
    "more_steps": (
        "The run in {path} spreads its {spread} over {old} {unit}, so going on to {new} would not continue it; start a new run from its model with --init {path} and another --run-dir.",
        "{path} 中的训练把 {spread} 分布在 {old} {unit} 上，续到 {new} 就不再是同一次训练；请用 --init {path} 和另一个 --run-dir 从它的模型开始新的训练。",
        "{path} 中的訓練把 {spread} 分布在 {old} {unit} 上，續到 {new} 就不再是同一次訓練；請用 --init {path} 和另一個 --run-dir 從它的模型開始新的訓練。",
    ),
    "init_differs": (
        "{path} has {name} = {old}, not {new}; leave that setting away to go on from it.",
        "{path} 的 {name} = {old}，不是 {new}；去掉这项设置即可从它继续。",
        "{path} 的 {name} = {old}，不是 {new}；去掉這項設定即可從它繼續。",
    ),
    "data_changed": (
        "The data of {source} are not those that the run in {path} was started with (what is compared is their content, not where they are); bring them back, or start a new run with --init.",
        "{source} 的数据与 {path} 里那次训练开始时不同（比较的是内容，不是位置）；请换回原来的数据，或用 --init 开始新的训练。",
        "{source} 的資料與 {path} 裡那次訓練開始時不同（比較的是內容，不是位置）；請換回原來的資料，或用 --init 開始新的訓練。",
    ),
    "unexpected": (
        "Something failed that should not have ({detail}); the log file {path} says more.",
        "出了不该出的错（{detail}）；详情见日志 {path}。",
        "出了不該出的錯（{detail}）；詳情見日誌 {path}。",
    ),
    "cannot_write": (
        "{path} cannot be written ({detail}); choose another directory or free some space.",
        "无法写入 {path}（{detail}）；请换一个目录，或腾出空间。",
        "無法寫入 {path}（{detail}）；請換一個目錄，或騰出空間。",
    ),
    "cannot_print": (
        "Not everything could be printed ({detail}); free some space, or print to another place.",
        "有内容无法输出（{detail}）；请腾出空间，或输出到别处。",
        "有內容無法輸出（{detail}）；請騰出空間，或輸出到別處。",
    ),
    # training
    "no_sentence_pairs": (
        "In {name} no sentence has another one after it and a wrong one to compare it with; give a longer text, with blank lines between its documents.",
        "{name} 中没有一个句子既有下一句、又有可作对照的错误句；请给更长的文本，文档之间空一行。",
        "{name} 中沒有一個句子既有下一句、又有可作對照的錯誤句；請給更長的文字，文件之間空一行。",
    ),
    "too_little_text": (
        "The text has {got} tokens, too few for a context of {context_length}; give a longer text or set context_length to {possible} or less.",
        "文本只有 {got} 个词元，不够 {context_length} 的上下文；请给更长的文本，或把 context_length 设为 {possible} 以下。",
        "文字只有 {got} 個詞元，不夠 {context_length} 的上下文；請給更長的文字，或把 context_length 設為 {possible} 以下。",
    ),
    "too_little_text_at_all": (
        "The text has {got} tokens, too few to train and validate on; give a longer text.",
        "文本只有 {got} 个词元，不够训练和验证；请给更长的文本。",
        "文字只有 {got} 個詞元，不夠訓練和驗證；請給更長的文字。",
    ),
    "steps_or_minutes": (
        "Give --steps or --minutes, not both and not neither.",
        "--steps 与 --minutes 请给且只给一个。",
        "--steps 與 --minutes 請給且只給一個。",
    ),
    "batch_not_shared": (
        "batch_size {batch_size} cannot be worked off in {shares} equal shares (processes times gradient_accumulation_steps); choose a multiple of {shares}.",
        "batch_size {batch_size} 不能平分为 {shares} 份（进程数乘 gradient_accumulation_steps）；请选 {shares} 的倍数。",
        "batch_size {batch_size} 不能平分為 {shares} 份（處理程序數乘 gradient_accumulation_steps）；請選 {shares} 的倍數。",
    ),
    "fsdp_version": (
        "Only version 2 of FSDP trains here; set fsdp_version: 2 in the configuration of accelerate.",
        "这里只能用 FSDP 的第 2 版训练；请在 accelerate 的配置中写 fsdp_version: 2。",
        "這裡只能用 FSDP 的第 2 版訓練；請在 accelerate 的設定中寫 fsdp_version: 2。",
    ),
    "other_processes": (
        "The run goes on with {new} processes, not {old}: rows and batches are the same, but sums are rounded and dropout is drawn differently, so its losses come near those of an uninterrupted run without being equal.",
        "此次训练改用 {new} 个进程继续，而不是 {old} 个：数据行和批次相同，但求和的舍入和 dropout 的随机数不同，所以损失与不间断的训练相近而不相等。",
        "此次訓練改用 {new} 個處理程序繼續，而不是 {old} 個：資料列和批次相同，但求和的捨入和 dropout 的隨機數不同，所以損失與不間斷的訓練相近而不相等。",
    ),
    "unknown_tokens": (
        "{model} does not know {share} % of the tokens of {source} and learns nothing of them; leave --init away, or give a text in its characters and words.",
        "{source} 的词元中有 {share} % 不在 {model} 的词表里，模型学不到它们；请去掉 --init，或给出由它认识的字和词写成的文本。",
        "{source} 的詞元中有 {share} % 不在 {model} 的詞表裡，模型學不到它們；請去掉 --init，或給出由它認識的字和詞寫成的文字。",
    ),
    "no_tracker": (
        "{name} is not installed; run `python -m pip install {name}`, or leave --track away.",
        "没有安装 {name}；请运行 `python -m pip install {name}`，或不用 --track。",
        "沒有安裝 {name}；請執行 `python -m pip install {name}`，或不用 --track。",
    ),
    "tracker_failed": (
        "{name} failed and takes no more numbers ({detail}); the training goes on, and its own record is whole.",
        "{name} 出错，不再接收数据（{detail}）；训练继续，其自身的记录完整。",
        "{name} 出錯，不再接收資料（{detail}）；訓練繼續，其自身的紀錄完整。",
    ),
}
