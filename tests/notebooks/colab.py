# as: colab
# expect: ex1, ex2, ex3 pass
# expect: ex4 not-written
# %%
from google.colab import drive
drive.mount('/content/drive')
import sys
sys.path.append('/content/drive/MyDrive')
# %%
#: setup open('names.txt', 'r') -> open('/content/drive/My Drive/nn/names.txt', 'r')
#: forward
# %%
#@title My backprop { display-mode: "form" }
#: ex1
#: cmps
# %%
#: ex2
# %%
#: ex3
