"""Texts, and where they come from."""

from aigc_demo.core.languages import Row

TEXT_SENTENCES: dict[str, Row] = {
    "no_file": (
        "There is no file {path}; check its name, or give tiny-world or hf:owner/name[:config].",
        "没有文件 {path}；请检查名称，或给 tiny-world 或 hf:owner/name[:config]。",
        "沒有檔案 {path}；請檢查名稱，或給 tiny-world 或 hf:owner/name[:config]。",
    ),
    "source_is_folder": (
        "{path} is a folder, but a text is needed; give one .txt file in it.",
        "{path} 是文件夹，这里需要文本；请给其中一个 .txt 文件。",
        "{path} 是資料夾，這裡需要文字；請給其中一個 .txt 檔。",
    ),
    "empty_path": (
        "A path is empty; give the name of a file or folder.",
        "路径为空；请给出文件或文件夹的名称。",
        "路徑為空；請給出檔案或資料夾的名稱。",
    ),
    "unreadable_file": (
        "{path} cannot be read ({detail}); check its name and its permissions.",
        "无法读取 {path}（{detail}）；请检查名称和权限。",
        "無法讀取 {path}（{detail}）；請檢查名稱和權限。",
    ),
    "too_large": (
        "{name} has {got} MiB, more than the {limit} MiB that are taken; give a part of it.",
        "{name} 有 {got} MiB，超过可接受的 {limit} MiB；请只给其中一部分。",
        "{name} 有 {got} MiB，超過可接受的 {limit} MiB；請只給其中一部分。",
    ),
    "not_text": (
        "{name} is not text in UTF-8 (byte {place} is not); save it as plain text in UTF-8.",
        "{name} 不是 UTF-8 文本（第 {place} 个字节不是）；请存为 UTF-8 纯文本。",
        "{name} 不是 UTF-8 文字（第 {place} 個位元組不是）；請存為 UTF-8 純文字。",
    ),
    "unsure_encoding": (
        "The encoding of {name} is not certain ({candidates}?); save it as plain text in UTF-8.",
        "无法确定 {name} 的编码（{candidates}？）；请存为 UTF-8 纯文本。",
        "無法確定 {name} 的編碼（{candidates}？）；請存為 UTF-8 純文字。",
    ),
    "empty_text": (
        "{name} holds no text; give a file with some sentences in it.",
        "{name} 中没有文字；请给一个含有若干句子的文件。",
        "{name} 中沒有文字；請給一個含有若干句子的檔案。",
    ),
    "hub_form": (
        "{name} is not of the form hf:owner/name[@commit][:config], the commit with all its 40 digits.",
        "{name} 不是 hf:owner/name[@commit][:config] 的形式，其中 commit 须写全 40 位。",
        "{name} 不是 hf:owner/name[@commit][:config] 的形式，其中 commit 須寫全 40 位。",
    ),
    "hub_unreachable": (
        "{name} is neither in the local cache nor in reach; connect to the network, or give a file or tiny-world.",
        "{name} 既不在本机缓存中，也无法连上；请连接网络，或改用文件或 tiny-world。",
        "{name} 既不在本機快取中，也無法連上；請連接網路，或改用檔案或 tiny-world。",
    ),
    "hub_unknown": (
        "The Hub shows no dataset {name} to everybody; check the owner, the name and the commit.",
        "Hub 上没有公开的数据集 {name}；请检查所有者、名称和 commit。",
        "Hub 上沒有公開的資料集 {name}；請檢查擁有者、名稱和 commit。",
    ),
    "hub_configuration": (
        "{name} has several parts; add one to the name after a colon: {known}.",
        "{name} 有多个部分；请在名称后加冒号和其中之一：{known}。",
        "{name} 有多個部分；請在名稱後加冒號和其中之一：{known}。",
    ),
    "hub_no_train": (
        "{name} has no split named train, only {known}; choose another dataset.",
        "{name} 没有名为 train 的部分，只有 {known}；请另选数据集。",
        "{name} 沒有名為 train 的部分，只有 {known}；請另選資料集。",
    ),
    "hub_column": (
        "{name} has no column named text, and not one column of text among {known}; choose another dataset.",
        "{name} 没有名为 text 的列，{known} 中也没有唯一的文本列；请另选数据集。",
        "{name} 沒有名為 text 的欄，{known} 中也沒有唯一的文字欄；請另選資料集。",
    ),
    "hub_unreadable": (
        "{name} cannot be read ({detail}); choose another dataset, or give its text as a file.",
        "无法读取 {name}（{detail}）；请另选数据集，或以文件给出其文本。",
        "無法讀取 {name}（{detail}）；請另選資料集，或以檔案給出其文字。",
    ),
    "nothing_left": (
        "Cleaning dropped all {dropped} characters of {name}; drop fewer lines or give another text.",
        "清理丢弃了 {name} 的全部 {dropped} 个字符；请少丢一些，或换一段文本。",
        "清理丟棄了 {name} 的全部 {dropped} 個字元；請少丟一些，或換一段文字。",
    ),
    "no_answer_pairs": (
        "{name} has no pairs of a text and its answer both for training and for validation; give a longer text.",
        "{name} 没有足够的“文本与回答”对可供训练和验证；请给更长的文本。",
        "{name} 沒有足夠的「文字與回答」對可供訓練和驗證；請給更長的文字。",
    ),
    "answer_pairs_too_long": (
        "All sources or answers of {name} are longer than context_length = {context_length} or target_length = "
        "{target_length} tokens; set these higher.",
        "{name} 的所有源文本或回答都长于 context_length = {context_length} 或 target_length = {target_length} "
        "个词元；请调高它们。",
        "{name} 的所有來源文字或回答都長於 context_length = {context_length} 或 target_length = {target_length} "
        "個詞元；請調高它們。",
    ),
}
