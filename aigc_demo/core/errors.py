"""A small family of errors, each one sentence that names the cure.

An error carries a key and values, not a finished sentence: the command line prints the English
below, the page renders the same key in the language of its reader (`ui/words/wording.py`).
"""

from typing import Any

ENGLISH: dict[str, str] = {
    # settings
    "unknown_setting": "There is no setting named {name} here; there are: {known}.",
    "setting_type": "{name} must be {expected}, got {got}.",
    "setting_range": "{name} must be {expected}, got {got}.",
    "heads_do_not_divide": "hidden_size {hidden_size} cannot be shared by {num_heads} heads; choose a multiple.",
    # names of models and sources
    "unknown_model": "There is no model named {name}; `python -m aigc_demo models` lists them.",
    "unknown_recipe": "There is no recipe named {name}; there are: {known}.",
    "unknown_source": "There is no source {name}; give tiny-world, a .txt file, or hf:owner/name[:config].",
    # texts and where they come from
    "no_file": "There is no file {path}; check its name, or give tiny-world or hf:owner/name[:config].",
    "source_is_folder": "{path} is a folder, but a text is needed; give one .txt file in it.",
    "empty_path": "A path is empty; give the name of a file or folder.",
    "unreadable_file": "{path} cannot be read ({detail}); check its name and its permissions.",
    "too_large": "{name} has {got} MiB, more than the {limit} MiB that are taken; give a part of it.",
    "not_text": "{name} is not text in UTF-8 (byte {place} is not); save it as plain text in UTF-8.",
    "unsure_encoding": "The encoding of {name} is not certain ({candidates}?); save it as plain text in UTF-8.",
    "empty_text": "{name} holds no text; give a file with some sentences in it.",
    "hub_form": "{name} is not of the form hf:owner/name[@commit][:config], the commit with all its 40 digits.",
    "hub_unreachable": "{name} is neither in the local cache nor in reach; connect to the network, or give a file or tiny-world.",
    "hub_unknown": "The Hub shows no data set {name} to everybody; check the owner, the name and the commit.",
    "hub_configuration": "{name} has several parts; add one to the name after a colon: {known}.",
    "hub_no_train": "{name} has no split named train, only {known}; choose another data set.",
    "hub_column": "{name} has no column named text, and not one column of text among {known}; choose another data set.",
    "hub_unreadable": "{name} cannot be read ({detail}); choose another data set, or give its text as a file.",
    "nothing_left": "Cleaning dropped all {dropped} characters of {name}; drop fewer lines or give another text.",
    # pictures and where they come from
    "no_picture_folder": "There is no folder {path}; check its name, or give tiny-world or hf:owner/name[:config].",
    "no_pictures": (
        "{name} holds no picture that can be used ({detail}); "
        "give a folder of PNG or JPEG files with at least 8 pixels a side."
    ),
    "caption_without_words": "There is no word in this caption; say what is to be drawn, such as: a red ball.",
    "no_known_words": "{model} knows none of these words; take those of the examples below the caption.",
    "no_other_word": "There is no other word for {word}; choose a colour, a kind, a size or a place.",
    "no_mender": "There is no network here that does this ({recipe}) for pictures of {size} pixels; train one.",
    "no_ranker": "No dual encoder here was trained on what {model} was trained on, so nobody can compare.",
    "caption_not_understood": (
        "This caption does not describe things of the tiny world, so nothing can be checked; "
        "say for example: a red ball left of a blue box."
    ),
    "text_or_image": "Give either a text or a picture to search by, one of them.",
    "nothing_painted": "Nothing is painted over yet; paint over what is to be drawn anew.",
    "all_painted": "The whole picture is painted over; leave some of it to go by.",
    "no_captions": (
        "The pictures of {source} have no captions; "
        "give tiny-world, or a folder with a metadata.csv that holds file_name and text."
    ),
    "too_many_pictures": "{name} holds more than the {limit} pictures that are taken; give a part of it.",
    "pictures_crash": (
        "{count} pictures in {name} ended the program that decodes them; take out the damaged ones, "
        "or save them again as PNG."
    ),
    "bad_metadata": (
        "{name} cannot be read as a table of pictures ({detail}); "
        "give a file with the columns file_name and text, or take it out of the folder."
    ),
    "table_open_quote": (
        "{name}: in row {row} (line {line} of the file) a quotation mark is opened and never closed; "
        "close it, or take it out."
    ),
    "table_late_quote": (
        "{name}: in row {row} (line {line} of the file) text or a space stands behind a closing quotation mark; "
        "put marks about the whole caption, and write those inside it twice."
    ),
    "table_long_cell": (
        "{name}: in row {row} (line {line} of the file) a cell has more than {limit} characters; "
        "shorten it, or close a quotation mark that is left open."
    ),
    "table_long_line": "{name}: line {line} has more than {limit} characters; shorten it.",
    "table_many_rows": "{name} has more than the {limit} rows that are taken; give a part of it.",
    "table_no_names": "No row of {name} names a picture; write the names of the files in its column of names.",
    "table_no_object": (
        "{name}: line {line} is not a JSON object; write an object on each line, "
        "neither one list about all of them nor one object over several lines."
    ),
    "table_line_ends": (
        "The lines of {name} end in carriage returns (CR) alone; save it with the line ends of Unix or Windows."
    ),
    "captions_empty": (
        "No row of {name} that names a picture has a caption: {column} is empty there; write the captions into it."
    ),
    "rows_too_long": (
        "{count} rows of {name} have more cells than there are columns (the first: {first}) "
        "and their captions were not used; put captions that hold commas in quotation marks."
    ),
    "captions_no_text": (
        "{count} captions of {name} are lists or something else that is no text (the first: {first}) "
        "and were not used; write one text for each picture."
    ),
    "no_column": "{name} has no column {expected} but: {known}; rename the one that is meant.",
    "rows_match_nothing": (
        "None of the {count} rows of {name} names a picture of the folder (the first: {first}); "
        "write the names as those of the files, capitals too."
    ),
    "rows_without_picture": (
        "{count} rows of {name} name no picture of the folder (the first: {first}) and were not used; "
        "write the names as those of the files, capitals too."
    ),
    "pictures_without_row": (
        "{count} pictures have no row in {name} (the first: {first}); add rows for them if they have captions."
    ),
    "rows_repeated": (
        "{count} rows of {name} name a picture that an earlier row has (the first: {first}); "
        "only the earlier row is used."
    ),
    "zip_names": (
        "The names in the zip file are not marked as UTF-8 and were read as {encoding} (the first: {first}); "
        "if that is wrong, pack the pictures again with names in UTF-8."
    ),
    "zip_name_guessed": (
        "The name {name} in the zip file is not one that is taken; it is not marked as UTF-8 and was read as "
        "{encoding}, which may be wrong: pack the pictures again with names in UTF-8, or in plain letters."
    ),
    "metadata_not_read": "{name} is not read; save the table as metadata.csv or metadata.jsonl, one of them.",
    "not_pictures": (
        "This file is not a zip of pictures ({detail}); "
        "give a zip file that holds PNG pictures and at most one metadata file."
    ),
    "no_decoder": "The program that decodes pictures cannot be started ({detail}); free some memory, or restart.",
    "hub_no_pictures": "{name} has no column of pictures among {known}; choose another data set.",
    # models that write, and the Hub
    "hub_name": (
        "{name} does not say exactly which model; write hf:owner/name@commit "
        "with all 40 digits of the commit."
    ),
    "prompt_too_long": "The prompt has {got} tokens and {model} reads at most {limit}; shorten it.",
    "prompt_far_too_long": "The prompt has {got} characters and {model} reads at most {limit}; shorten it.",
    "no_mask": "There is no {mask} in this text; write {mask} where {model} is to guess a word.",
    "not_on_ours": "{name} does not run on our own network; choose gpt2 or distilgpt2.",
    "not_finite": "{model} gives numbers that are not finite; its weights are damaged, so load another one.",
    "not_reachable": (
        "{name} is neither on this machine nor can the Hub be reached; run `python -m aigc_demo fetch {name}` "
        "where there is a network, name a mirror in HF_ENDPOINT, or choose another model."
    ),
    "hub_address": (
        "HF_ENDPOINT holds no address of the Hub or of a mirror; "
        "write it like https://hub.example.edu, or take it out of the environment."
    ),
    "hub_proxy": (
        "The Hub cannot be reached, and {variable} names no proxy that can be used; write one like "
        "proxy.example.edu:8080 (SOCKS is not supported), or take it out of the environment."
    ),
    "root_path": "GRADIO_ROOT_PATH is {name}; give a path such as /demo, or a whole address with http or https.",
    "server_name": "GRADIO_SERVER_NAME is {name}, which is no address of this machine; give one that is.",
    "hub_proxy_silent": (
        "The Hub cannot be reached through the proxy that {variable} names; check that the proxy runs and lets "
        "this machine out, or take it out of the environment."
    ),
    "not_on_hub": "The Hub has no model {location} at commit {revision}; check the name and the commit.",
    "not_in_safetensors": (
        "{name} has no weights in safetensors (a pickle can run code and is never read); choose another model."
    ),
    "fetch_broke_off": "Fetching {name} broke off ({detail}); run `python -m aigc_demo fetch {name}` again.",
    # pictures and who looks at them
    "too_few_pictures": "{name} has {got} pictures, too few to measure against; give at least {needed}.",
    "no_encoder": "No network here looks at pictures of {size} pixels; train one with the recipe classifier and name it by encoder.",
    "no_styles": "{model} has no styles to mix; choose a model of the recipe stylegan.",
    "no_such_picture": "There is no picture {got} among {count}; click one of those on the page.",
    "other_size": "{name} has pictures of {size} pixels, these have {got}; choose a model of the same size.",
    "not_png": "A picture cannot be used ({detail}); give PNG files of at least 8 pixels a side and at most 16 megapixels.",
    "no_training_pictures": "The pictures that {model} learned from are not at hand; upload them as a zip file of PNG pictures.",
    "unknown_thing": "{words} names nothing in the tiny world; say a colour and a thing, such as red ball or small blue box.",
    "nothing_found": "None of the first {count} pictures of {model} clearly shows {words}; say less, or train it for longer.",
    "no_words": "No classifier here names what {model} draws at {size} pixels; choose a model of the tiny world, or give seeds.",
    "no_gan": "{model} is no GAN; choose a model of the recipe dcgan or stylegan.",
    # checkpoints and model folders
    "model_needs_memory": (
        "{name} needs about {needed} MiB of memory, and one model may take {limit} MiB on this machine; "
        "choose a smaller one."
    ),
    "outside_link": "{path} holds a link that leads out of it ({detail}); give a folder with the files themselves.",
    "gpu_not_given": "No GPU could be had ({detail}); try again later, or choose a model of ours, which needs none.",
    "broken_model": "{path} holds no model that can be loaded ({detail}); choose another folder or train it again.",
    "foreign_model": "{path} holds a model of another kind ({detail}); choose one that {expected}.",
    "broken_checkpoint": "The checkpoint {path} is not whole ({detail}); delete it and resume from the one before.",
    "folder_exists": "{path} is there already; choose another folder.",
    "no_checkpoint": "The run {name} has no whole checkpoint at step {step}; choose one of {known}.",
    # pushing a model to the Hub
    "no_token": (
        "There is no token of the Hub in the environment; "
        "set HF_TOKEN to one that may write, and start this again."
    ),
    "push_closed": (
        "This page is a Space, where every visitor would push with its owner's token, so it pushes nothing; "
        "download the model folder, or set AIGC_DEMO_PUSH=1 if nobody else can open it."
    ),
    "repository_name": (
        "{name} is no name of a repository; write owner/name with letters, digits, -, _ and . alone."
    ),
    "token_refused": "The Hub does not know the token in HF_TOKEN; make a new one that may write, and set it.",
    "push_forbidden": (
        "The token in HF_TOKEN may not write to {name}; "
        "choose a repository of its owner, or a token with the right to write."
    ),
    "push_public": (
        "{name} is on the Hub already and everybody can see it; choose another name, "
        "or push with `python -m aigc_demo push` and --public."
    ),
    "push_not_reachable": "The Hub cannot be reached, so nothing was pushed; try again where there is a network.",
    "push_broke_off": "Pushing to {name} broke off ({detail}); push it again.",
    # run directories
    "run_exists": "{path} already holds a run; add --resume to go on with it, or choose another --run-dir.",
    "run_busy": "In {path} another process is training; stop it first, or choose another --run-dir.",
    "run_trained_by": (
        "In {path} another process is training (number {pid}); stop it first, or choose another --run-dir."
    ),
    "no_run": "{path} holds no run to resume; leave --resume away to start one.",
    "resume_differs": "The run in {path} was started with {name} = {old}, not {new}; resume it with what it had.",
    "more_steps": (
        "The run in {path} spreads its {spread} over {old} {unit}, so going on to {new} would not continue it; "
        "start a new run from its model with --init {path} and another --run-dir."
    ),
    "init_differs": "{path} has {name} = {old}, not {new}; leave that setting away to go on from it.",
    "data_changed": (
        "The data of {source} are not those that the run in {path} was started with "
        "(what is compared is their content, not where they are); "
        "bring them back, or start a new run with --init."
    ),
    "unexpected": "Something failed that should not have ({detail}); the log file {path} says more.",
    "cannot_write": "{path} cannot be written ({detail}); choose another directory or free some space.",
    "cannot_print": "Not everything could be printed ({detail}); free some space, or print to another place.",
    # training
    "too_little_text": (
        "The text has {got} tokens, too few for a context of {context_length}; "
        "give a longer text or set context_length to {possible} or less."
    ),
    "too_little_text_at_all": "The text has {got} tokens, too few to train and validate on; give a longer text.",
    "steps_or_minutes": "Give --steps or --minutes, not both and not neither.",
    "batch_not_shared": (
        "batch_size {batch_size} cannot be worked off in {shares} equal shares "
        "(processes times gradient_accumulation_steps); choose a multiple of {shares}."
    ),
    "fsdp_version": "Only version 2 of FSDP trains here; set fsdp_version: 2 in the configuration of accelerate.",
    "other_processes": (
        "The run goes on with {new} processes, not {old}: rows and batches are the same, but sums are rounded "
        "and dropout is drawn differently, so its losses come near those of an uninterrupted run without "
        "being equal."
    ),
    "unknown_tokens": (
        "{model} does not know {share} % of the tokens of {source} and learns nothing of them; "
        "leave --init away, or give a text in its characters and words."
    ),
    "no_tracker": "{name} is not installed; run `python -m pip install {name}`, or leave --track away.",
    "tracker_failed": (
        "{name} failed and takes no more numbers ({detail}); the training goes on, and its own record is whole."
    ),
    # the desk where trainings are ordered
    "training_off": "Training is switched off on this server; fork the project or run it at home to train.",
    "unknown_run": "There is no run named {name}; the list shows those that there are.",
    "not_your_run": "The run {name} was started by somebody else; watch it, or start one of your own.",
    "run_under_way": "The run {name} has not ended; stop it first.",
    "nothing_to_resume": "The run {name} ended before its first checkpoint; start a new one.",
    "too_many_runs": "You have {count} runs that train or wait; stop one of them, or wait until one has ended.",
    "too_many_calls": "{count} calls wait already; try again in a moment.",
    "too_many_calls_of_one": "{count} calls from your network are under way already; wait until one has ended.",
    "nobody_read": "Nobody read the answers of this call, and another one waited; call again and read on.",
    "queue_full": "{count} runs wait already; try again when some of them have ended.",
    "too_many_runs_of_network": "{count} runs from your network train or wait; wait until one has ended.",
    "run_minutes": "A run may train for {limit} minutes here at the most; ask for less.",
    "minutes_used": (
        "Your network has {left} of its {limit} minutes of training in 24 hours left; ask for less, or come back "
        "later."
    ),
    "minutes_waiting": "Runs that want {minutes} minutes train or wait already; try again when some have ended.",
    "run_needs_disk": (
        "This run would take {needed} MiB of disk, and one may take {limit} MiB here; ask for a smaller model or "
        "fewer checkpoints."
    ),
    "run_disk_full": (
        "The run has taken {used} MiB of disk, more than the {limit} MiB that it may; its checkpoints are whole."
    ),
    "disk_budget": (
        "Your runs take {used} MiB, this one would take up to {needed} more, and a visitor has {limit}; delete "
        "one of them."
    ),
    "disk_of_network": (
        "The runs of your network take {used} MiB, this one would take up to {needed} more, and it has {limit}; "
        "delete one of yours."
    ),
    "disk_of_all": (
        "All runs take {used} MiB, this one would take up to {needed} more, and there are {limit}; delete one of "
        "yours, or try again later."
    ),
    "no_such_network": "These settings make no network of {recipe}; change one of them, such as its sizes.",
    "uploads_of_network": (
        "Your network has uploaded {used} of the {limit} MiB that it may in an hour; try again later."
    ),
    "uploads_of_all": "{used} of {limit} MiB that may be uploaded in an hour are used; try again later.",
    "disk_slow": "The disk with the runs does not answer at the moment; try again in a minute.",
    "other_desk": "Another server looks after the runs in {path}; end it, or give this one a folder of its own.",
    "nothing_to_export": "The run {name} has no checkpoint yet; wait for its first one.",
    "not_an_export": "This file is not an exported run ({detail}); give a zip file that Download made.",
    "loss_not_finite": (
        "At step {step} the loss was no longer a number; the last checkpoint is good. "
        "Start a new run with a lower learning_rate."
    ),
    "worker_silent": "The training showed no life for {seconds} seconds and was ended; resume it.",
    "worker_killed": (
        "The training was killed from outside, or the machine ran out of memory; "
        "resume it, with a smaller batch_size if it happens again."
    ),
    "upload_gone": "The uploaded file is no longer here, since uploads are kept for an hour; upload it again.",
    "cannot_start": "This order cannot be started: the system takes no such command; order it anew.",
    "worker_vanished": "The training ended without a word, perhaps with its machine; resume it.",
    "out_of_memory": "There was not enough memory; lower batch_size or make the model smaller.",
    "needs_memory": (
        "This training needs at least {needed} MiB of memory, {over} MiB more than the {limit} MiB there are; "
        "lower batch_size or make the model smaller."
    ),
    "needs_disk": (
        "The checkpoints take {needed} MiB, and {path} has {free} MiB free; "
        "make the model smaller, or choose another directory."
    ),
    "preflight_too_slow": (
        "After {seconds} seconds the trial had not done its few steps; "
        "lower batch_size or make the model smaller."
    ),
    # the game of a GAN
    "game_put_away": (
        "Your game was put away, because nothing was pressed for {minutes} minutes or {limit} others wanted to "
        "play; press New game."
    ),
    "game_too_long": "A game goes on for at most {limit} steps; press New game.",
    "game_not_finite": (
        "After step {step} the numbers are no longer finite; press New game and choose lower learning rates."
    ),
    # the page
    "text_too_long": "{name} has {got} characters; give at most {limit}.",
    "text_not_unicode": "{name} holds half of a character; paste it again as plain text.",
    "text_empty": "There is no text to measure; paste some.",
    "nothing_to_write": "There is no run yet whose checkpoint could write; start one.",
    "no_upload": "There is no file yet; choose one first.",
    "no_such_token": "There is no token number {got} here; there are {count}.",
    "token_not_in_vocabulary": "Token {got} is not in the vocabulary of {model}, which has {count}.",
    "no_attention": "{model} does not give its attention; choose one of our own models.",
    "still_writing": "What was asked for last is still being made; press Stop, or wait until it is finished.",
    "nothing_generated": "There is no text yet; press Generate first.",
    "column_failed": "{model} failed unexpectedly, the server's log says why; try again or choose another model.",
}


MOST_OF_A_PATH = 200


def shortened(path: str) -> str:
    """Beginning and end of a path that nobody would read to its end."""
    half = MOST_OF_A_PATH // 2 - 2
    return f"{path[:half]} ... {path[-half:]}"


class DemoError(Exception):
    """A failure that a teacher can understand: one sentence, with the cure.

    Args:
        key: which sentence of `ENGLISH`.
        values: what fills its markers; plain numbers and text.

    Raises:
        KeyError: the key or one of its markers is unknown (a mistake in this project, not in its use).
    """

    exit_code = 1

    def __init__(self, key: str, **values: Any):
        if len(str(values.get("path", ""))) > MOST_OF_A_PATH:
            values["path"] = shortened(str(values["path"]))
        self.key = key
        self.values = values
        super().__init__(ENGLISH[key].format(**values))

    def __reduce__(self) -> tuple[Any, ...]:
        """Key and values travel between processes, as the sentence alone could not be made again."""
        return _again, (type(self), self.key, self.values)


class InputError(DemoError):
    """What was asked for cannot be done as it was asked; nothing was changed."""

    exit_code = 2


def _again(kind: type[DemoError], key: str, values: dict[str, Any]) -> DemoError:
    return kind(key, **values)
