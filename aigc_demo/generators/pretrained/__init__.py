"""Pretrained folders of others: recognised, checked and rebuilt from known parts."""
