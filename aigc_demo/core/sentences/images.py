"""Images and captions, and where they come from."""

from aigc_demo.core.languages import Row

IMAGE_SENTENCES: dict[str, Row] = {
    "no_picture_folder": (
        "There is no folder {path}; check its name, or give tiny-world or hf:owner/name[:config].",
        "没有文件夹 {path}；请检查名称，或给 tiny-world 或 hf:owner/name[:config]。",
        "沒有資料夾 {path}；請檢查名稱，或給 tiny-world 或 hf:owner/name[:config]。",
    ),
    "no_pictures": (
        "{name} holds no picture that can be used ({detail}); give a folder of PNG or JPEG files with at least 8 pixels a side.",
        "{name} 里没有可用的图片（{detail}）；请给一个装有 PNG 或 JPEG 文件的文件夹，每边至少 8 像素。",
        "{name} 裡沒有可用的圖片（{detail}）；請給一個裝有 PNG 或 JPEG 檔案的資料夾，每邊至少 8 像素。",
    ),
    "caption_without_words": (
        "There is no word in this caption; say what is to be drawn, such as: a red ball.",
        "描述里没有词；请说要画什么，例如：一个红色的球。",
        "描述裡沒有詞；請說要畫什麼，例如：一個紅色的球。",
    ),
    "no_known_words": (
        "{model} knows none of these words; take those of the examples below the caption.",
        "{model} 一个词也不认识；请用描述下方示例中的词。",
        "{model} 一個詞也不認識；請用描述下方範例中的詞。",
    ),
    "no_other_word": (
        "There is no other word for {word}; choose a colour, a kind, a size or a place.",
        "没有可以替换“{word}”的词；请选一个颜色、形状、大小或方位。",
        "沒有可以替換「{word}」的詞；請選一個顏色、形狀、大小或方位。",
    ),
    "no_restoration_network": (
        "No restoration network here does this ({recipe}) for pictures of {size} pixels; train one.",
        "这里没有能处理 {size} 像素图片的修复网络（{recipe}）；请先训练一个。",
        "這裡沒有能處理 {size} 像素圖片的修復網路（{recipe}）；請先訓練一個。",
    ),
    "no_ranker": (
        "No dual encoder here was trained on what {model} was trained on, so its pictures cannot be ranked.",
        "这里没有与 {model} 用同样数据训练的双编码器，无法给它的图片排序。",
        "這裡沒有與 {model} 用同樣資料訓練的雙編碼器，無法給它的圖片排序。",
    ),
    "caption_not_understood": (
        "This caption does not describe things of the tiny world, so nothing can be checked; say for example: a red ball left of a blue box.",
        "这句描述说的不是小世界里的东西，无从检查；例如可以说：一个红色的球在一个蓝色的方块的左边。",
        "這句描述說的不是小世界裡的東西，無從檢查；例如可以說：一個紅色的球在一個藍色的方塊的左邊。",
    ),
    "text_or_image": (
        "Give either a text or a picture to search by, one of them.",
        "请给出文字或图片之一来检索，只给一个。",
        "請給出文字或圖片之一來檢索，只給一個。",
    ),
    "nothing_painted": (
        "Nothing is painted over yet; paint over what is to be drawn anew.",
        "还没有涂抹任何地方；请先涂掉要重绘的部分。",
        "還沒有塗抹任何地方；請先塗掉要重繪的部分。",
    ),
    "all_painted": (
        "The whole picture is painted over; leave some of it to go by.",
        "整张图都被涂掉了；请留下一部分作为依据。",
        "整張圖都被塗掉了；請留下一部分作為依據。",
    ),
    "no_captions": (
        "The pictures of {source} have no captions; give tiny-world, or a folder with a metadata.csv that holds file_name and text.",
        "{source} 的图片没有文字说明；请用 tiny-world，或给一个带 metadata.csv（含 file_name 和 text 两列）的文件夹。",
        "{source} 的圖片沒有文字說明；請用 tiny-world，或給一個帶 metadata.csv（含 file_name 和 text 兩欄）的資料夾。",
    ),
    "too_many_pictures": (
        "{name} holds more than the {limit} pictures that are taken; give a part of it.",
        "{name} 里的图片超过可接受的 {limit} 张；请只给其中一部分。",
        "{name} 裡的圖片超過可接受的 {limit} 張；請只給其中一部分。",
    ),
    "pictures_crash": (
        "{count} pictures in {name} ended the program that decodes them; take out the damaged ones, or save them again as PNG.",
        "{name} 里有 {count} 张图片使解码程序中断；请取出损坏的图片，或把它们重新存为 PNG。",
        "{name} 裡有 {count} 張圖片使解碼程式中斷；請取出損壞的圖片，或把它們重新存為 PNG。",
    ),
    "bad_metadata": (
        "{name} cannot be read as a table of pictures ({detail}); give a file with the columns file_name and text, or take it out of the folder.",
        "{name} 不能作为图片的表格读取（{detail}）；请给含 file_name 和 text 两列的文件，或把它移出文件夹。",
        "{name} 不能作為圖片的表格讀取（{detail}）；請給含 file_name 和 text 兩欄的檔案，或把它移出資料夾。",
    ),
    "table_open_quote": (
        "{name}: in row {row} (line {line} of the file) a quotation mark is opened and never closed; close it, or take it out.",
        "{name} 的第 {row} 条（文件第 {line} 行）有一个引号没有结束；请补上或去掉。",
        "{name} 的第 {row} 筆（檔案第 {line} 行）有一個引號沒有結束；請補上或去掉。",
    ),
    "table_late_quote": (
        "{name}: in row {row} (line {line} of the file) text or a space stands behind a closing quotation mark; put marks about the whole caption, and write those inside it twice.",
        "{name} 的第 {row} 条（文件第 {line} 行）在结束的引号后面还有文字或空格；请把整个说明放进引号，里面的引号写两次。",
        "{name} 的第 {row} 筆（檔案第 {line} 行）在結束的引號後面還有文字或空格；請把整個說明放進引號，裡面的引號寫兩次。",
    ),
    "table_long_cell": (
        "{name}: in row {row} (line {line} of the file) a cell has more than {limit} characters; shorten it, or close a quotation mark that is left open.",
        "{name} 的第 {row} 条（文件第 {line} 行）有一格超过 {limit} 个字符；请缩短它，或补上缺少的结束引号。",
        "{name} 的第 {row} 筆（檔案第 {line} 行）有一格超過 {limit} 個字元；請縮短它，或補上缺少的結束引號。",
    ),
    "table_long_line": (
        "{name}: line {line} has more than {limit} characters; shorten it.",
        "{name} 的第 {line} 行超过 {limit} 个字符；请缩短它。",
        "{name} 的第 {line} 行超過 {limit} 個字元；請縮短它。",
    ),
    "table_many_rows": (
        "{name} has more than the {limit} rows that are taken; give a part of it.",
        "{name} 超过可接受的 {limit} 条；请只给其中一部分。",
        "{name} 超過可接受的 {limit} 筆；請只給其中一部分。",
    ),
    "table_no_names": (
        "No row of {name} names a picture; write the names of the files in its column of names.",
        "{name} 里没有一条写明图片的文件名；请填写文件名那一列。",
        "{name} 裡沒有一筆寫明圖片的檔名；請填寫檔名那一欄。",
    ),
    "table_no_object": (
        "{name}: line {line} is not a JSON object; write an object on each line, neither one list about all of them nor one object over several lines.",
        "{name} 的第 {line} 行不是 JSON 对象；请每行写一个对象，不要用一个列表包住全部，也不要把一个对象写成几行。",
        "{name} 的第 {line} 行不是 JSON 物件；請每行寫一個物件，不要用一個清單包住全部，也不要把一個物件寫成幾行。",
    ),
    "table_line_ends": (
        "The lines of {name} end in carriage returns (CR) alone; save it with the line ends of Unix or Windows.",
        "{name} 的各行只以回车符（CR）结束；请用 Unix 或 Windows 的换行方式保存。",
        "{name} 的各行只以歸位字元（CR）結束；請用 Unix 或 Windows 的換行方式儲存。",
    ),
    "captions_empty": (
        "No row of {name} that names a picture has a caption: {column} is empty there; write the captions into it.",
        "{name} 中写有图片的各条都没有说明：{column} 那里是空的；请把说明写进去。",
        "{name} 中寫有圖片的各筆都沒有說明：{column} 那裡是空的；請把說明寫進去。",
    ),
    "rows_too_long": (
        "{count} rows of {name} have more cells than there are columns (the first: {first}) and their captions were not used; put captions that hold commas in quotation marks.",
        "{name} 有 {count} 条的格数多于列数（第一条：{first}），其说明没有使用；请把含逗号的说明放进引号。",
        "{name} 有 {count} 筆的格數多於欄數（第一筆：{first}），其說明沒有使用；請把含逗號的說明放進引號。",
    ),
    "captions_no_text": (
        "{count} captions of {name} are lists or something else that is no text (the first: {first}) and were not used; write one text for each picture.",
        "{name} 有 {count} 个说明是列表或其他不是文字的值（第一个：{first}），没有使用；请为每张图片写一段文字。",
        "{name} 有 {count} 個說明是清單或其他不是文字的值（第一個：{first}），沒有使用；請為每張圖片寫一段文字。",
    ),
    "no_column": (
        "{name} has no column {expected} but: {known}; rename the one that is meant.",
        "{name} 没有名为 {expected} 的列，只有：{known}；请把所指的那一列改名。",
        "{name} 沒有名為 {expected} 的欄，只有：{known}；請把所指的那一欄改名。",
    ),
    "rows_match_nothing": (
        "None of the {count} rows of {name} names a picture of the folder (the first: {first}); write the names as those of the files, capitals too.",
        "{name} 的 {count} 行中没有一行对应文件夹里的图片（第一行：{first}）；文件名须与文件完全一致，大小写也要一致。",
        "{name} 的 {count} 列中沒有一列對應資料夾裡的圖片（第一列：{first}）；檔名須與檔案完全一致，大小寫也要一致。",
    ),
    "rows_without_picture": (
        "{count} rows of {name} name no picture of the folder (the first: {first}) and were not used; write the names as those of the files, capitals too.",
        "{name} 有 {count} 行在文件夹里没有对应的图片（第一行：{first}），未使用；文件名须与文件完全一致，大小写也要一致。",
        "{name} 有 {count} 列在資料夾裡沒有對應的圖片（第一列：{first}），未使用；檔名須與檔案完全一致，大小寫也要一致。",
    ),
    "pictures_without_row": (
        "{count} pictures have no row in {name} (the first: {first}); add rows for them if they have captions.",
        "{count} 张图片在 {name} 中没有对应的行（第一张：{first}）；如有文字说明，请补上这些行。",
        "{count} 張圖片在 {name} 中沒有對應的列（第一張：{first}）；如有文字說明，請補上這些列。",
    ),
    "rows_repeated": (
        "{count} rows of {name} name a picture that an earlier row has (the first: {first}); only the earlier row is used.",
        "{name} 有 {count} 行重复指同一张图片（第一行：{first}）；只使用较早的一行。",
        "{name} 有 {count} 列重複指同一張圖片（第一列：{first}）；只使用較早的一列。",
    ),
    "zip_names": (
        "The names in the zip file are not marked as UTF-8 and were read as {encoding} (the first: {first}); if that is wrong, pack the pictures again with names in UTF-8.",
        "zip 文件里的名称没有标明 UTF-8，按 {encoding} 读取（第一个：{first}）；如果不对，请用 UTF-8 文件名重新打包图片。",
        "zip 檔裡的名稱沒有標明 UTF-8，按 {encoding} 讀取（第一個：{first}）；如果不對，請用 UTF-8 檔名重新打包圖片。",
    ),
    "zip_name_guessed": (
        "The name {name} in the zip file is not one that is taken; it is not marked as UTF-8 and was read as {encoding}, which may be wrong: pack the pictures again with names in UTF-8, or in plain letters.",
        "zip 文件里的名称 {name} 不能接受；它没有标明 UTF-8，是按 {encoding} 读取的，可能不对：请用 UTF-8 或纯字母的文件名重新打包图片。",
        "zip 檔裡的名稱 {name} 不能接受；它沒有標明 UTF-8，是按 {encoding} 讀取的，可能不對：請用 UTF-8 或純字母的檔名重新打包圖片。",
    ),
    "metadata_not_read": (
        "{name} is not read; save the table as metadata.csv or metadata.jsonl, one of them.",
        "未读取 {name}；请把表格只存为 metadata.csv 或 metadata.jsonl 之一。",
        "未讀取 {name}；請把表格只存為 metadata.csv 或 metadata.jsonl 之一。",
    ),
    "not_pictures": (
        "This file is not a zip of pictures ({detail}); give a zip file that holds PNG pictures and at most one metadata file.",
        "这个文件不是图片的 zip 文件（{detail}）；请给一个装有 PNG 图片、至多一个元数据文件的 zip 文件。",
        "這個檔案不是圖片的 zip 檔（{detail}）；請給一個裝有 PNG 圖片、至多一個中繼資料檔的 zip 檔。",
    ),
    "no_decoder": (
        "The program that decodes pictures cannot be started ({detail}); free some memory, or restart.",
        "图片解码程序无法启动（{detail}）；请腾出一些内存，或重新启动。",
        "圖片解碼程式無法啟動（{detail}）；請騰出一些記憶體，或重新啟動。",
    ),
    "hub_no_pictures": (
        "{name} has no column of pictures among {known}; choose another dataset.",
        "{name} 的各列（{known}）中没有图片列；请换一个数据集。",
        "{name} 的各欄（{known}）中沒有圖片欄；請換一個資料集。",
    ),
}
